import type { Timers } from "../timers.ts";

/** Timers that only move when the test says so. */
export interface ManualTimers extends Timers {
  /** Moves on by `ms`, running what falls due on the way, in order. */
  advance: (ms: number) => void;
}

/** @param random what `random()` answers. */
export function manualTimers(random = 0.5, start = Date.UTC(2026, 10, 21)): ManualTimers {
  let now = start;
  const waiting = new Set<{ at: number; run: () => void }>();
  return {
    now: () => now,
    random: () => random,
    after(ms, run) {
      const timer = { at: now + ms, run };
      waiting.add(timer);
      return () => waiting.delete(timer);
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...waiting].filter((timer) => timer.at <= until).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        waiting.delete(next);
        now = Math.max(now, next.at);
        next.run();
      }
      now = until;
    },
  };
}
