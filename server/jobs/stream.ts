import type { JobId } from "@restic-manager/protocol/ids";
import { encodeEvent } from "../platform/http/stream.ts";
import type { Tails } from "./tail.ts";

/**
 * A job's log from line `from` on, live: lines and holes in order, progress and state as they change, `end` when nothing more will
 * come. Every line from `from` on comes once, whenever the viewer is ready for it.
 */
export async function* followJob(
  tails: Tails,
  jobId: JobId,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const tail = tails.open(jobId);
  try {
    await tail.refresh();
    let next = from;
    let told = { job: 0, progress: tail.progress.version };
    for (;;) {
      const { stamp, job, progress, complete, end } = tail;
      if (signal.aborted || tail.gone) return;
      const before = told;
      told = { job: job.version, progress: progress.version };
      // Progress first: after "it has ended" nothing may say that it runs.
      if (before.progress !== progress.version && !complete) yield progress.bytes;
      if (before.job !== job.version) yield job.bytes;
      const part = next < end ? await tail.part(next) : undefined;
      if (part !== undefined) {
        next = part.next;
        yield part.bytes;
        continue;
      }
      if (complete) {
        yield encodeEvent({ event: "end", id: String(next), data: "{}" });
        return;
      }
      await tail.changedSince(stamp, signal);
    }
  } finally {
    tails.close(jobId);
  }
}
