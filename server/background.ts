import { followEnrolments, sweepEnrollments, type StepParts } from "./enrolment/steps.ts";

/** How often expired enrolments are wiped. */
const SWEEP_MS = 5 * 60_000;

/** Starts what runs by itself beside requests and the link. Returns what ends it. */
export async function runBackground(
  parts: StepParts,
  onError: (error: unknown, doing: string) => void,
): Promise<() => void> {
  const sweep = (): void => {
    sweepEnrollments(parts).catch((error: unknown) => onError(error, "wipe expired enrolments"));
  };
  const endings = [
    await followEnrolments(parts, (error) => onError(error, "note that an enrolled machine connected")),
    parts.clock.every(SWEEP_MS, sweep),
  ];
  return () => {
    for (const end of endings) end();
  };
}
