import { zstdDecompressSync } from "node:zlib";
import { CHUNK_RAW_BYTES } from "@restic-manager/protocol/limits";
import { decodeLogLines, type LogLine } from "@restic-manager/protocol/log-lines";
import type { StoredChunk } from "@restic-manager/server/jobs/log-store";
import type { ChaosHost } from "../host.ts";
import type { Ledger } from "../ledger.ts";
import { markerOf } from "../marker.ts";
import type { StoredJob } from "./outcomes.ts";

/** A job's log as the store has it. */
export interface StoredLog {
  chunks: StoredChunk[];
  gaps: { first_line: number; count: number }[];
}

/** A log read line by line; `undefined` where a line is missing. */
type Lines = (LogLine | undefined)[];

/**
 * The log is complete and in order, no line comes twice, what is missing is counted, and what is there is what restic printed.
 *
 * @param mayMiss whether lines of this job may have had to give way (its host's disk was full).
 */
export function checkLog(
  job: StoredJob,
  log: StoredLog,
  host: ChaosHost,
  ledger: Ledger,
  mayMiss: boolean,
): string[] {
  const name = `the log of job ${job.id} (${job.state}, order ${markerOf(job.input) ?? "none"}, h${host.index})`;
  const lines: Lines = Array.from({ length: job.log_lines }, () => undefined);
  const wrong: string[] = [];
  let next = 0;
  for (const chunk of log.chunks) {
    if (chunk.first_line < next) wrong.push(`${name} has line ${chunk.first_line} twice`);
    next = chunk.first_line + chunk.count;
    if (next > job.log_lines) wrong.push(`${name} has lines after its end ${job.log_lines}`);
    const read = decodeLogLines(
      zstdDecompressSync(chunk.data, { maxOutputLength: CHUNK_RAW_BYTES }).toString(),
    );
    if (read.length !== chunk.count)
      wrong.push(`${name}: a chunk of ${chunk.count} lines holds ${read.length}`);
    for (const [i, line] of read.entries()) lines[chunk.first_line + i] = line;
  }
  for (const { first_line, count } of log.gaps)
    for (let n = first_line; n < first_line + count; n += 1)
      if (lines[n] !== undefined) wrong.push(`${name} has line ${n} and marks it as missing`);
  const missing = lines.filter((line) => line === undefined).length;
  if (missing !== job.log_missing)
    wrong.push(`${name} lacks ${missing} lines and says ${job.log_missing} are missing`);
  if (missing > 0 && !mayMiss) wrong.push(`${name} lacks ${missing} of ${job.log_lines} lines for no reason`);
  if (job.kind === "backup" && wrong.length === 0) wrong.push(...checkWords(name, job, lines, host, ledger));
  return wrong;
}

function checkWords(name: string, job: StoredJob, lines: Lines, host: ChaosHost, ledger: Ledger): string[] {
  const texts = lines.map((line) => line?.text);
  const marker = markerOf(job.input);
  const order = marker === undefined ? undefined : ledger.orders.get(marker);
  if (order === undefined) return [];
  const run = host.runs.look().find((start) => start.marker === marker);
  if (run === undefined) {
    // It may have been killed before it came to write down its start; the first line is the agent's own.
    const printed = texts.find((text) => text !== undefined && FILE.test(text));
    return printed === undefined ? [] : [`${name} has restic's words and restic never ran: ${printed}`];
  }
  return host.kind === "scripted" ? scripted(name, job, texts, run.pid, order.lines) : real(name, job, texts);
}

/** A line about a file that restic saved. */
const FILE = /^new {7}/;

/** To the letter: the scripted restic names its files after its process. */
function scripted(
  name: string,
  job: StoredJob,
  texts: (string | undefined)[],
  pid: number,
  files: number,
): string[] {
  const printed = [
    "start scan of /srv/data",
    ...Array.from({ length: files }, (_, i) => `new       /srv/data/${pid}/file${i + 1} (100 B added)`),
  ];
  const whole = job.state === "succeeded";
  const until = texts.findLastIndex((text) => text !== undefined && FILE.test(text)) + 1;
  const upTo = whole ? printed.length : Math.max(until, Math.min(1, texts.length));
  for (let n = 0; n < upTo; n += 1)
    if (texts[n] !== undefined && texts[n] !== printed[n] && (whole || n < until))
      return [
        `${name}: line ${n} is ${JSON.stringify(texts[n])} and restic printed ${JSON.stringify(printed[n])}`,
      ];
  if (whole && texts.length !== printed.length + 5)
    return [`${name} has ${texts.length} lines, and restic printed ${printed.length + 5}`];
  return [];
}

/** Each file once, and the end of a run that came to its end. */
function real(name: string, job: StoredJob, texts: (string | undefined)[]): string[] {
  const seen = new Set<string>();
  for (const text of texts) {
    const path = /^(?:new|unchanged|modified) +(\S+)/.exec(text ?? "")?.[1];
    if (path === undefined) continue;
    if (seen.has(path)) return [`${name} has ${path} twice`];
    seen.add(path);
  }
  if (job.state === "succeeded" && texts.length > 0) {
    const last = texts.at(-1);
    if (last !== undefined && !/^snapshot [0-9a-f]{8} saved$/.test(last))
      return [`${name} ends with ${JSON.stringify(last)}`];
  }
  return [];
}
