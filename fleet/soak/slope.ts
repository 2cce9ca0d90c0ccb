/** A reading of something over time: minutes since the start, and how much. */
export interface Reading {
  minute: number;
  value: number;
}

/** The least reading of each minute: what a collector has not looked at yet is no leak. */
export function leastOfEachMinute(readings: readonly Reading[]): Reading[] {
  const least = new Map<number, number>();
  for (const { minute, value } of readings) {
    const whole = Math.floor(minute);
    least.set(whole, Math.min(value, least.get(whole) ?? Number.POSITIVE_INFINITY));
  }
  return [...least].map(([minute, value]) => ({ minute, value }));
}

/** By how much something rises in an hour. */
export interface Trend {
  perHour: number;
  /** The line's own standard error: the truth is within twice of it, nearly always. */
  error: number;
}

/** The straight line through readings, by least squares. It stands still for fewer than two different minutes. */
export function trendOf(readings: readonly Reading[]): Trend {
  const mean = (of: (reading: Reading) => number) =>
    readings.reduce((sum, reading) => sum + of(reading), 0) / readings.length;
  const [minute, value] = [mean((one) => one.minute), mean((one) => one.value)];
  let [rise, run] = [0, 0];
  for (const one of readings) {
    rise += (one.minute - minute) * (one.value - value);
    run += (one.minute - minute) ** 2;
  }
  if (run === 0) return { perHour: 0, error: 0 };
  const slope = rise / run;
  const off = readings.reduce(
    (sum, one) => sum + (one.value - value - slope * (one.minute - minute)) ** 2,
    0,
  );
  const free = Math.max(1, readings.length - 2);
  return { perHour: slope * 60, error: Math.sqrt(off / free / run) * 60 };
}
