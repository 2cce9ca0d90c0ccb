/** Ends a timer that a `Clock` started. */
export type Cancel = () => void;

/** The only source of time. Tests own one and move it; nothing in the server calls `Date.now` or `setTimeout`. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment. Nobody sets this one: how long something lasts, such as a silence, is told by it alone. */
  elapsed(): number;
  /** Calls `run` once after `ms` milliseconds. */
  after(ms: number, run: () => void): Cancel;
  /** Calls `run` every `ms` milliseconds, first after `ms`. */
  every(ms: number, run: () => void): Cancel;
}

/** The machine's own clock. */
export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    after(ms, run) {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    every(ms, run) {
      const timer = setInterval(run, ms);
      return () => clearInterval(timer);
    },
  };
}

/** The instant `ms` as the wire and the API write it. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
