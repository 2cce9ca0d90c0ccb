import type { Leases } from "./platform/lease.ts";
import type { RetentionLimits } from "./platform/retention-limits.ts";
import { brooms, RETENTION_EVERY_MS, sweepAll } from "./retention/sweep.ts";
import { followEnrolments, sweepEnrollments, type StepParts } from "./enrolment/steps.ts";

/** How often expired enrolments are wiped. */
const SWEEP_MS = 5 * 60_000;

/** Work that is done again and again, by the server that holds the leases. */
export interface Ticker {
  everyMs: number;
  /** Its lease's name, as in "could not …". */
  doing: string;
  work: () => Promise<void>;
}

/**
 * Starts what runs by itself beside requests and the link. Returns what ends it, once all of it is at rest; what runs under a lease ends
 * with the leases.
 */
export async function runBackground(
  parts: StepParts & { leases: Leases; retention: RetentionLimits; tickers: readonly Ticker[] },
  onError: (error: unknown, doing: string) => void,
): Promise<() => Promise<void>> {
  const endFollowing = await followEnrolments(parts, (error) =>
    onError(error, "note that an enrolled machine connected"),
  );
  const { leases } = parts;
  for (const { doing, everyMs, work } of parts.tickers) leases.every(doing, everyMs, work);
  leases.every("wipe expired enrolments", SWEEP_MS, () => sweepEnrollments(parts));
  const all = brooms(parts.db, parts.retention);
  let stopping = false;
  leases.every("remove what is old", RETENTION_EVERY_MS, async () => {
    await sweepAll(
      all,
      parts.clock.now(),
      (error, what) => onError(error, `remove ${what}`),
      () => stopping,
    );
  });
  return async () => {
    stopping = true;
    await endFollowing();
  };
}
