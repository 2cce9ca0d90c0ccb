/** A clock that is off by less is as good as ours: the figure holds the way of one frame. */
const TOLERATED_MS = 60_000;

/** What is known about the clock that an instant comes from. */
export interface AgentClock {
  /** How far the agent's clock was ahead at its last hello, in milliseconds. */
  skewMs: number | null;
  /** When the server made the job. */
  createdAt: number;
  /** The server's clock. */
  now: number;
}

/**
 * An agent's instant by the server's clock. It lies between the making of the job and now, whatever the agent believes: a
 * machine whose clock once ran ahead would otherwise show that backup as its last one for years, and hide all that fail.
 *
 * @param at ISO 8601, as the agent wrote it. @returns milliseconds since 1970.
 */
export function serverTime(at: string, { skewMs, createdAt, now }: AgentClock): number {
  const said = Date.parse(at);
  const skew = skewMs !== null && Math.abs(skewMs) > TOLERATED_MS ? skewMs : 0;
  return Math.min(Math.max(said - skew, createdAt), Math.max(now, createdAt));
}
