import type { RetentionLimits } from "./platform/retention-limits.ts";
import { brooms, RETENTION_EVERY_MS, sweepAll } from "./retention/sweep.ts";
import { followEnrolments, sweepEnrollments, type StepParts } from "./enrolment/steps.ts";

/** How often expired enrolments are wiped. */
const SWEEP_MS = 5 * 60_000;

/** Starts what runs by itself beside requests and the link. Returns what ends it, once all of it is at rest. */
export async function runBackground(
  parts: StepParts & { retention: RetentionLimits },
  onError: (error: unknown, doing: string) => void,
): Promise<() => Promise<void>> {
  let sweeping: Promise<void> | null = null;
  // A sweep that a slow store holds up is not joined by the next.
  const sweep = (): void => {
    sweeping ??= sweepEnrollments(parts)
      .catch((error: unknown) => onError(error, "wipe expired enrolments"))
      .finally(() => (sweeping = null));
  };
  const endFollowing = await followEnrolments(parts, (error) =>
    onError(error, "note that an enrolled machine connected"),
  );
  const endSweeping = parts.clock.every(SWEEP_MS, sweep);
  const all = brooms(parts.db, parts.retention);
  let stopping = false;
  let keeping: Promise<void> | null = null;
  const keep = async (): Promise<void> => {
    await sweepAll(
      all,
      parts.clock.now(),
      (error, what) => onError(error, `remove ${what}`),
      () => stopping,
    );
  };
  const endKeeping = parts.clock.every(RETENTION_EVERY_MS, () => {
    keeping ??= keep().finally(() => (keeping = null));
  });
  return async () => {
    endSweeping();
    endKeeping();
    stopping = true;
    await endFollowing();
    await sweeping;
    await keeping;
  };
}
