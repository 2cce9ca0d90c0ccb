import { followEnrolments, sweepEnrollments, type StepParts } from "./enrolment/steps.ts";

/** How often expired enrolments are wiped. */
const SWEEP_MS = 5 * 60_000;

/** Work that is done again and again, by every server: what it does twice must do no harm. */
export interface Ticker {
  everyMs: number;
  /** As in "could not …". */
  doing: string;
  work: () => Promise<void>;
}

/** Starts what runs by itself beside requests and the link. Returns what ends it, once all of it is at rest. */
export async function runBackground(
  parts: StepParts & { tickers: readonly Ticker[] },
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
  const ends = parts.tickers.map(({ everyMs, doing, work }) =>
    startTicker(parts.clock, everyMs, work, (error) => onError(error, doing)),
  );
  return async () => {
    endSweeping();
    await Promise.all(ends.map((end) => end()));
    await endFollowing();
    await sweeping;
  };
}

/** A tick that a slow store holds up is not joined by the next. Returns what ends it, once it is at rest. */
function startTicker(
  clock: StepParts["clock"],
  everyMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let running: Promise<void> | null = null;
  const end = clock.every(everyMs, () => {
    running ??= work()
      .catch(onError)
      .finally(() => (running = null));
  });
  return async () => {
    end();
    await running;
  };
}
