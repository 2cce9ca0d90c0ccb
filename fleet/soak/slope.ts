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

/** By how much it rises in an hour, by least squares. 0 for fewer than two different minutes. */
export function slopePerHour(readings: readonly Reading[]): number {
  const mean = (of: (reading: Reading) => number) =>
    readings.reduce((sum, reading) => sum + of(reading), 0) / readings.length;
  const [minute, value] = [mean((one) => one.minute), mean((one) => one.value)];
  let [rise, run] = [0, 0];
  for (const one of readings) {
    rise += (one.minute - minute) * (one.value - value);
    run += (one.minute - minute) ** 2;
  }
  return run === 0 ? 0 : (rise / run) * 60;
}
