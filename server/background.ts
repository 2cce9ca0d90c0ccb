import type { Leases } from "./platform/lease.ts";
import { followEnrolments, sweepEnrollments, type StepParts } from "./enrolment/steps.ts";

/** How often expired enrolments are wiped. */
const SWEEP_MS = 5 * 60_000;

/**
 * Starts what runs by itself beside requests and the link. Returns what ends it, once all of it is at rest; what runs under a lease ends
 * with the leases.
 */
export async function runBackground(
  parts: StepParts & { leases: Leases },
  onError: (error: unknown, doing: string) => void,
): Promise<() => Promise<void>> {
  const endFollowing = await followEnrolments(parts, (error) =>
    onError(error, "note that an enrolled machine connected"),
  );
  parts.leases.every("wipe expired enrolments", SWEEP_MS, () => sweepEnrollments(parts));
  return endFollowing;
}
