import type { Cancel, Clock } from "../platform/clock.ts";

/** A clock that only moves when the test says so. */
export interface TestClock extends Clock {
  /** Moves on by `ms`, running every timer that falls due on the way, in order and at its own instant. */
  advance(ms: number): void;
  /** As after a machine's sleep of `ms`: it is later at once, and each timer that fell due meanwhile runs once. */
  jump(ms: number): void;
  /** As when somebody sets the machine's clock: it says something else by `ms`, and no time has passed. */
  set(ms: number): void;
  /** Timers that wait: a test that ends with some has left something running. */
  pending(): number;
}

interface Timer {
  at: number;
  every: number | null;
  run: () => void;
}

/** @param start milliseconds since 1970; a round day unless told. */
export function testClock(start = Date.UTC(2026, 10, 21, 12)): TestClock {
  let now = start;
  let wrongBy = 0;
  const timers = new Set<Timer>();
  const add = (timer: Timer): Cancel => {
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const nextDue = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers)
      if (timer.at <= until && (first === undefined || timer.at < first.at)) first = timer;
    return first;
  };
  return {
    now: () => now + wrongBy,
    elapsed: () => now - start,
    after: (ms, run) => add({ at: now + ms, every: null, run }),
    every: (ms, run) => add({ at: now + ms, every: ms, run }),
    advance(ms) {
      const until = now + ms;
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        now = Math.max(now, timer.at);
        if (timer.every === null) timers.delete(timer);
        else timer.at += Math.max(1, timer.every);
        timer.run();
      }
      now = until;
    },
    jump(ms) {
      now += ms;
      const due = [...timers].filter((timer) => timer.at <= now).toSorted((a, b) => a.at - b.at);
      for (const timer of due) {
        // One that ran before may have cancelled it.
        if (!timers.has(timer)) continue;
        if (timer.every === null) timers.delete(timer);
        else timer.at = now + timer.every;
        timer.run();
      }
    },
    set(ms) {
      wrongBy += ms;
    },
    pending: () => timers.size,
  };
}
