import type { HeldJob, Journal } from "@restic-manager/agent/journal";
import { LogWriter } from "@restic-manager/agent/log-writer";
import type { LogChunk, Outbox } from "@restic-manager/agent/outbox";
import type { Timers } from "@restic-manager/agent/timers";
import { JobId } from "@restic-manager/protocol/ids";
import { CHUNK_LINES, WINDOW_BYTES } from "@restic-manager/protocol/limits";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { moment } from "./moment.ts";
import { pause } from "./pause.ts";
import { seeded } from "./random.ts";
import { resticLines } from "./restic-lines.ts";
import { resultOf } from "./runners.ts";
import type { Script } from "./script.ts";
import type { Story } from "./story.ts";

/** So many different chunks are made; more would not compress differently. */
const POOL = 32;
/** An outbox that holds more than the link may have in flight is not made longer. */
const ENOUGH_WAITING = WINDOW_BYTES / 2;
/** Chunks that are written in one turn of the event loop: acknowledgements must get through. */
const CHUNKS_AT_ONCE = 8;
/** Those that wait for the moment when all begin ask this often whether it was set. */
const LOOK_FOR_START_MS = 250;

export type PremadeChunk = Omit<LogChunk, "jobId" | "firstLine">;

/** Full chunks made by the agent's own writer, for every flooding agent of this process. */
export function premadeChunks(seed: number, timers: Timers): PremadeChunk[] {
  const lines = resticLines(seeded(seed, "chunks"));
  const made: PremadeChunk[] = [];
  const jobId = JobId.parse("01JD0000000000000000000000");
  const write = ({ count, rawSize, data }: LogChunk) => void made.push({ count, rawSize, data });
  const writer = new LogWriter({ jobId, firstLine: 0, timers, write });
  while (made.length < POOL) {
    for (let line = 0; line < CHUNK_LINES; line += 1) writer.line("stdout", lines.next().value);
    writer.flush();
  }
  return made;
}

export interface FloodParts {
  journal: Journal;
  outbox: Outbox;
  timers: Timers;
  chunks: readonly PremadeChunk[];
  /** Read anew until the flood begins. */
  script: () => Script;
  story: Story;
  cancel: AbortSignal;
  /** Resolves when the server has acknowledged something, or after a while. */
  acknowledged: () => Promise<void>;
  wrote: (lines: number) => void;
}

/** One job that is nothing but log, as fast as the outbox takes it. */
export async function floodJob(job: HeldJob, parts: FloodParts): Promise<JobOutcome> {
  const { journal, outbox, timers, chunks, cancel } = parts;
  while (parts.script().floodFrom > moment() && !cancel.aborted)
    await pause(timers, Math.min(LOOK_FOR_START_MS, parts.script().floodFrom - moment()), cancel);
  const script = parts.script();
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
