import type { Snapshot } from "@restic-manager/protocol/snapshot";

/** More would not be told apart. */
const POINTS = 300;

export interface Growth {
  /** Those of the snapshots that say what they added. */
  count: number;
  /** Oldest first, the sum in bytes; of many snapshots some, always the first and the last. */
  points: { at: number; sum: number }[];
}

/** What snapshots added to the repository, summed over time. */
export function growthOf(snapshots: readonly Snapshot[]): Growth {
  const known = snapshots
    .flatMap(({ time, summary }) =>
      summary === undefined ? [] : [{ at: Date.parse(time), added: summary.data_added_packed }],
    )
    .toSorted((a, b) => a.at - b.at);
  let sum = 0;
  const all = known.map(({ at, added }) => ({ at, sum: (sum += added) }));
  const step = Math.max(1, Math.ceil(all.length / POINTS));
  return { count: all.length, points: all.filter((_, n) => n % step === 0 || n === all.length - 1) };
}
