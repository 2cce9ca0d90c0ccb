/** Ends a timer. */
export type Cancel = () => void;

/** The agent's only source of time; tests own one and move it. Milliseconds throughout. */
export interface Timers {
  /** Milliseconds since 1970. */
  now: () => number;
  after: (ms: number, run: () => void) => Cancel;
  /** 0 ≤ x < 1; here because it decides how long the agent waits before it connects again. */
  random: () => number;
}

/** The machine's own clock and chance. */
export function systemTimers(): Timers {
  return {
    now: () => Date.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
  };
}
