import type { Timers } from "../timers.ts";

export type ManualTimers = Timers & {
  /** Moves the clock and runs what falls due, in order of time. */
  advance: (ms: number) => void;
  /** How many actions are waiting. */
  waiting: () => number;
};

/** A clock that stands still until the test moves it. */
export function manualTimers(): ManualTimers {
  let now = 0;
  let next = 0;
  const due = new Map<number, { at: number; action: () => void }>();
  return {
    now: () => now,
    after(ms, action) {
      const id = next++;
      due.set(id, { at: now + ms, action });
      return () => void due.delete(id);
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const first = [...due].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
        if (first === undefined) break;
        due.delete(first[0]);
        now = Math.max(now, first[1].at);
        first[1].action();
      }
      now = until;
    },
    waiting: () => due.size,
  };
}
