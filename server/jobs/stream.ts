import type { JobId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { StreamEvent } from "../platform/http/stream.ts";
import { findJob, type JobsParts } from "./jobs.ts";
import { readLog } from "./log-reader.ts";

/** Most lines in one event, so that a slow viewer takes them in bites. */
const LINES_PER_EVENT = 500;

/**
 * A job's log from line `from` on, live: lines and holes in order, progress and state as they change, `end` when nothing more will
 * come. Everything is read from the store when the viewer is ready for it, so a slow one costs nothing and misses nothing.
 */
export async function* followJob(
  parts: JobsParts,
  jobId: JobId,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const changes = watch(parts.bus, jobId, signal);
  let next = from;
  try {
    const first = await findJob(parts, jobId);
    yield { event: "job", data: JSON.stringify(first ?? null) };
    for (;;) {
      const seen = changes.take();
      if (seen.job) yield { event: "job", data: JSON.stringify((await findJob(parts, jobId)) ?? null) };
      if (seen.progress !== undefined) yield { event: "progress", data: JSON.stringify(seen.progress) };
      const page = await readLog(parts.db, jobId, next, LINES_PER_EVENT);
      if (page === undefined || signal.aborted) return;
      const { lines, gaps } = page;
      if (lines.length > 0 || gaps.length > 0) {
        next = Math.max(
          next,
          ...gaps.map((gap) => gap.first_line + gap.count),
          ...lines.slice(-1).map((line) => line.n + 1),
        );
        yield { event: "lines", id: String(next), data: JSON.stringify({ lines, gaps }) };
        continue;
      }
      if (page.complete) {
        // The state may have changed after it was last told.
        yield { event: "job", data: JSON.stringify((await findJob(parts, jobId)) ?? null) };
        yield { event: "end", id: String(next), data: "{}" };
        return;
      }
      await changes.next();
      if (signal.aborted) return;
    }
  } finally {
    changes.end();
  }
}

interface Seen {
  job: boolean;
  progress: Record<string, unknown> | undefined;
}

/** Remembers that something changed, not how often: the store has the rest. */
function watch(bus: Bus, jobId: JobId, signal: AbortSignal) {
  let seen: Seen = { job: false, progress: undefined };
  let dirty = false;
  let wake: (() => void) | undefined;
  const note = (): void => {
    dirty = true;
    wake?.();
  };
  const endings = [
    bus.subscribe("job.log", (event) => {
      if (event.jobId === jobId) note();
    }),
    bus.subscribe("job.changed", (event) => {
      if (event.jobId !== jobId) return;
      seen.job = true;
      note();
    }),
    bus.subscribe("job.progress", (event) => {
      if (event.jobId !== jobId) return;
      seen.progress = event.progress;
      note();
    }),
  ];
  // Lines and states may have come at another server without a word of it reaching this one.
  endings.push(
    bus.subscribe("bus.resync", () => {
      seen.job = true;
      note();
    }),
  );
  signal.addEventListener("abort", note, { once: true });
  return {
    take(): Seen {
      const taken = seen;
      seen = { job: false, progress: undefined };
      dirty = false;
      return taken;
    },
    /** Resolves when something has changed since the last `take`. */
    async next(): Promise<void> {
      if (dirty) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    },
    end(): void {
      for (const end of endings) end();
      signal.removeEventListener("abort", note);
    },
  };
}
