import type { SnapshotAnomaly } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";

/** Snapshots before it that say what is usual. */
export const REMEMBERED = 30;
/** Fewer than that say nothing. */
const LEAST_KNOWN = 5;
/** Times the spread above the middle. The spread is the median distance from the median: one odd day does not move it. */
const SPREADS = 8;
/** A quiet group's every change would be odd otherwise: so many times the middle, and so much, are ordinary. */
const TIMES = 3;
const LEAST = { added: 64 * 1024 * 1024, changed: 500 };

/**
 * What stands out in a snapshot against those before it in its group (same machine, folders and tags): much more added than usual, or many
 * more files changed, as when something encrypts them. The first ones of a group are never marked.
 *
 * @param before newest first; at most `REMEMBERED` of them count.
 */
export function anomaliesOf(snapshot: Snapshot, before: readonly Snapshot[]): SnapshotAnomaly[] {
  const known = before
    .slice(0, REMEMBERED)
    .flatMap(({ summary }) => (summary === undefined ? [] : [summary]));
  const { summary } = snapshot;
  if (summary === undefined || known.length < LEAST_KNOWN) return [];
  const of = {
    added: (one: typeof summary) => one.data_added,
    changed: (one: typeof summary) => one.files_new + one.files_changed,
  };
  return (["added", "changed"] as const).flatMap((what) => {
    const value = of[what](summary);
    const others = known.map(of[what]);
    const usual = median(others);
    const spread = median(others.map((one) => Math.abs(one - usual)));
    const limit = Math.max(usual + SPREADS * spread, TIMES * usual, LEAST[what]);
    return value > limit ? [{ what, value, usual, limit }] : [];
  });
}

/** The group that a snapshot belongs to, as a key. */
export function groupOf({ hostname, paths, tags }: Snapshot): string {
  return JSON.stringify([hostname, paths.toSorted(), tags.toSorted()]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
