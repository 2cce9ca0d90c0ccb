/** Counts as people read them: `1,204`. */
export function formatCount(value: number): string {
  return new Intl.NumberFormat("en-GB").format(value);
}

/** A count with its noun: `1 host`, `412 hosts`. `many` defaults to `one` with an s. */
export function countOf(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

/**
 * A fraction (0 to 1) as whole percent. Never 100 before it is done, never 0 once it has begun: a bar that says 100 % and
 * goes on is taken for stuck.
 */
export function formatPercent(fraction: number): string {
  const clamped = Math.min(1, Math.max(0, fraction));
  if (clamped === 0 || clamped === 1) return String(clamped * 100);
  return String(Math.min(99, Math.max(1, Math.floor(clamped * 100))));
}
