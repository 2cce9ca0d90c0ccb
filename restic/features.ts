/**
 * What needs which restic; only what is used. `0.18.0` brought the `exit_error` line and `check --json`. Older than that, and so always
 * there: `--retry-lock` (0.16.0), `RESTIC_REST_USERNAME` (0.16.1), snapshot summaries, `restore --json --overwrite --delete --dry-run`
 * (0.17.0), exit 12 (0.17.1). In none so far: `prune --json`, `restore --no-ownership`.
 */
export const needs = {
  /** To be driven at all. */
  driving: "0.18.0",
  /** A backup with a missing source ends with 3; before, it ended with 0 and said so in plain text. */
  missingSourceExitsThree: "0.19.0",
  /** A forget that could not remove a snapshot ends with 3; before, it ended with 0 and said so in plain text. */
  failedForgetExitsThree: "0.19.0",
} as const;

export type Feature = keyof typeof needs;

/** Whether a restic of this version (`0.18.0`, `0.19.1-dev`) has the feature. False for what is no version. */
export function hasFeature(version: string, feature: Feature): boolean {
  const have = numbers(version);
  const need = numbers(needs[feature]);
  if (have === undefined || need === undefined) return false;
  for (const [i, wanted] of need.entries()) {
    const got = have[i] ?? 0;
    if (got !== wanted) return got > wanted;
  }
  return true;
}

function numbers(version: string): number[] | undefined {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  return parts === null ? undefined : parts.slice(1).map(Number);
}
