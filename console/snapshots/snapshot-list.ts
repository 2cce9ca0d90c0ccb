import type { ListedSnapshot } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { dayOf } from "./calendar.ts";

export const SNAPSHOT_SORTS = ["time", "files", "size", "added", "changed", "duration"] as const;
export type SnapshotSort = (typeof SNAPSHOT_SORTS)[number];

/** What the tab's address says of its list. */
export interface SnapshotFilter {
  /** Part of an id, a tag or a path. */
  q?: string;
  tag?: string;
  /** `2026-11-21`, in the reader's zone. */
  day?: string;
  /** Only those that are not like those before them. */
  odd?: boolean;
}

/** The snapshots that a filter lets through, as they come. */
export function filtered(
  snapshots: readonly ListedSnapshot[],
  { q, tag, day, odd }: SnapshotFilter,
  timeZone?: string,
): ListedSnapshot[] {
  const part = q?.trim().toLowerCase() ?? "";
  return snapshots.filter(
    (one) =>
      (tag === undefined || one.tags.includes(tag)) &&
      (day === undefined || dayOf(Date.parse(one.time), timeZone) === day) &&
      (odd !== true || one.anomalies !== undefined) &&
      (part === "" ||
        one.id.startsWith(part) ||
        [...one.tags, ...one.paths].some((text) => text.toLowerCase().includes(part))),
  );
}

/** Sorted by one fact; those without it come last either way. */
export function sorted<One extends Snapshot>(
  snapshots: readonly One[],
  by: SnapshotSort,
  order: "asc" | "desc",
): One[] {
  const sign = order === "asc" ? 1 : -1;
  const keyed = snapshots.map((one) => ({ one, key: keyOf(one, by) }));
  return keyed
    .toSorted((a, b) => {
      if (a.key === undefined || b.key === undefined)
        return Number(a.key === undefined) - Number(b.key === undefined);
      return sign * (a.key - b.key) || (a.one.id < b.one.id ? -1 : 1);
    })
    .map(({ one }) => one);
}

function keyOf({ time, summary }: Snapshot, by: SnapshotSort): number | undefined {
  if (by === "time") return Date.parse(time);
  if (summary === undefined) return undefined;
  switch (by) {
    case "files":
      return summary.total_files_processed;
    case "size":
      return summary.total_bytes_processed;
    case "added":
      return summary.data_added_packed;
    case "changed":
      return summary.files_new + summary.files_changed;
    case "duration":
      return summary.duration_seconds;
  }
}

/** The one before it of the same tags and paths, which it is compared with unless told. */
export function predecessorOf(snapshots: readonly Snapshot[], of: Snapshot): Snapshot | undefined {
  const key = (one: Snapshot) => JSON.stringify([one.tags.toSorted(), one.paths.toSorted()]);
  const own = key(of);
  return snapshots
    .filter((one) => one.id !== of.id && Date.parse(one.time) < Date.parse(of.time) && key(one) === own)
    .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time))[0];
}
