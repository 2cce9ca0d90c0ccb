import type { Snapshot } from "@restic-manager/protocol/snapshot";

/** What leaves the range of a snapshot's like. */
export interface Anomaly {
  /** Bytes added, or files changed, more than its like ever had by far. */
  what: "added" | "changed";
  value: number;
  /** What was usual: the middle of its like. */
  usual: number;
}

/** Fewer are no range to leave. */
const FEWEST = 6;
/** So many times the usual spread above the middle; and no less than twice the middle. */
const FAR = 5;
/** Below these nobody cares. */
const LEAST = { added: 64 * 1024 ** 2, changed: 100 };

/** Snapshots that are not like the others of the same tags and paths, by id. The first of its kind saves everything and is no anomaly. */
export function anomaliesOf(snapshots: readonly Snapshot[]): Map<string, Anomaly> {
  const groups = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    if (snapshot.summary === undefined) continue;
    const key = JSON.stringify([snapshot.hostname, snapshot.tags.toSorted(), snapshot.paths.toSorted()]);
    groups.set(key, [...(groups.get(key) ?? []), snapshot]);
  }
  const found = new Map<string, Anomaly>();
  for (const group of groups.values()) {
    const like = group.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time)).slice(1);
    if (like.length < FEWEST) continue;
    for (const what of ["added", "changed"] as const) {
      const values = like.map((one) => valueOf(one, what));
      const usual = middle(values);
      const spread = middle(values.map((value) => Math.abs(value - usual)));
      const limit = Math.max(usual + FAR * spread, 2 * usual, LEAST[what]);
      for (const [n, one] of like.entries()) {
        const value = values[n] ?? 0;
        if (value > limit && !found.has(one.id)) found.set(one.id, { what, value, usual });
      }
    }
  }
  return found;
}

function valueOf({ summary }: Snapshot, what: Anomaly["what"]): number {
  if (summary === undefined) return 0;
  return what === "added" ? summary.data_added_packed : summary.files_new + summary.files_changed;
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return ((sorted[Math.ceil(half) - 1] ?? 0) + (sorted[Math.floor(half)] ?? 0)) / 2;
}
