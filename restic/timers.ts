/** The time as this package sees it. Tests hand in one that they advance themselves. */
export type Timers = {
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
  /** Calls `action` once after `ms` milliseconds; the returned function calls it off. */
  after: (ms: number, action: () => void) => () => void;
};

export const systemTimers: Timers = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};
