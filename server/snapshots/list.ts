import type { ListedSnapshot, SnapshotsPage } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { anomaliesOf, groupOf, REMEMBERED } from "./anomaly.ts";
import { readPage, readTotals, type SnapshotRow } from "./store.ts";

/**
 * One page of a host's snapshots, newest first.
 *
 * @param cursor `next_cursor` of the page before, or null for the first.
 * @returns undefined when there is no such host.
 * @throws ApiProblem `validation_failed` when the cursor is none of this list.
 */
export async function listSnapshots(
  db: Database,
  hostId: HostId,
  limit: number,
  cursor: string | null,
): Promise<SnapshotsPage | undefined> {
  const after = cursor === null ? null : readCursor(cursor);
  const totals = await readTotals(db, hostId);
  if (totals === undefined) return undefined;
  const rows = await readPage(db, hostId, limit + 1, after);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: await marked(db, hostId, shown),
    next_cursor: rows.length > limit && last !== undefined ? writeCursor(last) : null,
    total: totals.snapshot_count,
    taken_at: totals.snapshots_taken_at === null ? null : instant(totals.snapshots_taken_at),
  };
}

/** Those before a page's own are needed to tell what is usual at its end. */
const LOOKED_BACK = 200;

async function marked(db: Database, hostId: HostId, shown: SnapshotRow[]): Promise<ListedSnapshot[]> {
  const last = shown.at(-1);
  const before = last === undefined ? [] : await readPage(db, hostId, LOOKED_BACK, last);
  const all = [...shown, ...before].map((row) => Snapshot.parse(JSON.parse(row.body)));
  const groups = Map.groupBy(all, groupOf);
  return all.slice(0, shown.length).map((snapshot) => {
    const group = groups.get(groupOf(snapshot)) ?? [];
    const at = group.indexOf(snapshot);
    const anomalies = anomaliesOf(snapshot, group.slice(at + 1, at + 1 + REMEMBERED));
    return anomalies.length === 0 ? snapshot : { ...snapshot, anomalies };
  });
}

function writeCursor({ time, id }: SnapshotRow): string {
  return `${time}.${id}`;
}

function readCursor(cursor: string): { time: number; id: string } {
  const [, time, id] = /^(-?\d{1,16})\.([0-9a-f]{64})$/.exec(cursor) ?? [];
  if (time === undefined || id === undefined) {
    const fields = { cursor: "belongs to another list" };
    throw new ApiProblem("validation_failed", "cursor: belongs to another list", { fields });
  }
  return { time: Number(time), id };
}
