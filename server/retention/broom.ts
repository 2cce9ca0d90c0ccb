/** Removes one sort of thing that is no longer kept. */
export interface Broom {
  /** What it removes, for the log. */
  readonly what: string;
  /**
   * One bounded step, at most one transaction of some milliseconds. Crash-safe: what a step leaves half done the next one finds.
   *
   * @param now milliseconds since 1970. @returns true when there may be more to do right now.
   */
  sweep(now: number): Promise<boolean>;
}

/** Jobs looked at in one step. */
export const JOBS_A_STEP = 100;
/** Rows deleted in one step: 256 log chunks take SQLite a few milliseconds. */
export const ROWS_A_STEP = 256;
/** Once all that is due has been looked at, what stays is not looked at again for so long. */
export const REST_MS = 15 * 60_000;
