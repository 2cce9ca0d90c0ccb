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
/** One in so many may be as low as it likes, and is still no reason to call the next such one ordinary. Weekends are more, and are. */
const ODD_ONES = 10;
/** However much a group varies, less than one in so many of its low ones is nearly nothing. */
const NOTHING = 20;
/** What groups have to be used to before too little of it can be odd: less is a matter of chance. */
const MUCH = { added: 16 * 1024 * 1024, changed: 100 };

/**
 * What stands out in a snapshot against those before it in its group (same machine, folders and tags): much more added than usual, or many
 * more files changed, as when something encrypts them; or nearly nothing where there always was much, as when the source was emptied or is
 * not mounted. The first ones of a group are never marked.
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
    if (value > limit) return [{ what, value, usual, limit }];
    const least = leastOrdinary(others, spread);
    return usual >= MUCH[what] && value < least ? [{ what, value, usual, limit: least }] : [];
  });
}

/** Below this a value has left the range downwards; 0 in groups that often have nothing. */
function leastOrdinary(others: readonly number[], spread: number): number {
  const low = others.toSorted((a, b) => a - b)[Math.floor(others.length / ODD_ONES)] ?? 0;
  return Math.max(Math.min(low - SPREADS * spread, low / TIMES), low / NOTHING);
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
