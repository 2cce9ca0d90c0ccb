import type { HeldJob, Journal } from "@restic-manager/agent/journal";
import { LogWriter } from "@restic-manager/agent/log-writer";
import type { LogChunk, Outbox } from "@restic-manager/agent/outbox";
import type { Timers } from "@restic-manager/agent/timers";
import { JobId } from "@restic-manager/protocol/ids";
import { CHUNK_LINES, WINDOW_BYTES } from "@restic-manager/protocol/limits";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { seeded } from "./random.ts";
import { resultOf } from "./runners.ts";
import type { Script } from "./script.ts";
import { lineOf, type Story } from "./story.ts";

/** So many different chunks are made; more would not compress differently. */
const POOL = 32;
/** An outbox that holds more than the link may have in flight is not made longer. */
const ENOUGH_WAITING = WINDOW_BYTES / 2;
/** Chunks that are written in one turn of the event loop: acknowledgements must get through. */
const CHUNKS_AT_ONCE = 8;

export type PremadeChunk = Omit<LogChunk, "jobId" | "firstLine">;

/** Full chunks made by the agent's own writer, for every flooding agent of this process. */
export function premadeChunks(seed: number, lineBytes: number, timers: Timers): PremadeChunk[] {
  const random = seeded(seed, "chunks");
  const made: PremadeChunk[] = [];
  const jobId = JobId.parse("01JD0000000000000000000000");
  const write = ({ count, rawSize, data }: LogChunk) => void made.push({ count, rawSize, data });
  const writer = new LogWriter({ jobId, firstLine: 0, timers, write });
  while (made.length < POOL) {
    for (let line = 0; line < CHUNK_LINES; line += 1) writer.line("stdout", lineOf(random, lineBytes));
    writer.flush();
  }
  return made;
}

export interface FloodParts {
  journal: Journal;
  outbox: Outbox;
  timers: Timers;
  chunks: readonly PremadeChunk[];
  script: Script;
  story: Story;
  cancel: AbortSignal;
  /** Resolves when the server has acknowledged something, or after a while. */
  acknowledged: () => Promise<void>;
  wrote: (lines: number) => void;
}

/** One job that is nothing but log, as fast as the outbox takes it. */
export async function floodJob(job: HeldJob, parts: FloodParts): Promise<JobOutcome> {
  const { journal, outbox, timers, chunks, script, cancel } = parts;
  const began = timers.now();
  const late = began + script.durationMs;
  let firstLine = job.logLines;
  for (let turn = 0; ; turn += 1) {
    if (cancel.aborted) return { state: "cancelled" };
    const over = script.lines > 0 && firstLine >= script.lines;
    if (over || (script.durationMs > 0 && timers.now() >= late)) break;
    if (outbox.logBytes >= ENOUGH_WAITING) {
      await parts.acknowledged();
      continue;
    }
    const chunk = chunks[turn % chunks.length];
    if (chunk === undefined) break;
    journal.log({ ...chunk, jobId: job.id, firstLine });
    firstLine += chunk.count;
    parts.wrote(chunk.count);
    if (turn % CHUNKS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { state: "succeeded", result: resultOf(parts.story, [], timers.now() - began) };
}
