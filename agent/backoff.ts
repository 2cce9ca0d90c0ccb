/** How an agent waits between two attempts to reach the server, in milliseconds. */
export const RECONNECT_FIRST_MS = 1_000;
export const RECONNECT_MOST_MS = 60_000;
/** After an answer that trying again soon will not change (`protocol_too_old`, a revoked bearer, a clone). */
export const RECONNECT_SLOW_MS = 10 * 60_000;

/**
 * Exponential with full jitter: the n-th attempt (from 0) waits anywhere up to min(60 s, 1 s · 2^n), so that a fleet whose
 * server comes back does not arrive at once. `random` is 0 ≤ x < 1.
 */
export function reconnectDelay(attempt: number, random: number): number {
  const most = Math.min(RECONNECT_MOST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.ceil(random * most);
}

/** Between half and all of ten minutes. */
export function slowDelay(random: number): number {
  return Math.ceil(RECONNECT_SLOW_MS * (0.5 + random / 2));
}
