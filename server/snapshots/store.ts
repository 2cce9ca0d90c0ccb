import type { HostId, ResticId } from "@restic-manager/protocol/ids";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import { rowLock } from "../platform/db/dialect.ts";
import type { Database, HostUpdate, Trx } from "../platform/db/schema.ts";

export type SnapshotsReport = Extract<DurableMessage, { type: "snapshots.report" }>;

/** A snapshot as it lies in the table. */
export interface SnapshotRow {
  id: string;
  /** Milliseconds since 1970. */
  time: number;
  /** JSON of protocol `Snapshot`. */
  body: string;
}

/** Rows per statement: four parameters each, well below both databases' limits. */
const BATCH = 500;

export async function hostOf(trx: Trx, hostId: HostId) {
  return trx
    .selectFrom("hosts")
    .select(["id", "snapshot_count", "snapshots_taken_at", "repository_id"])
    .where("id", "=", hostId)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

/** Keeps one part of a report; parts of any other report make way, since it was given up. */
export async function stagePart(
  trx: Trx,
  hostId: HostId,
  takenAt: number,
  report: SnapshotsReport,
): Promise<void> {
  await trx
    .deleteFrom("snapshot_parts")
    .where("host_id", "=", hostId)
    .where("taken_at", "!=", takenAt)
    .execute();
  const body = JSON.stringify(report.snapshots);
  await trx
    .insertInto("snapshot_parts")
    .values({ host_id: hostId, taken_at: takenAt, part: report.part, body })
    .onConflict((conflict) => conflict.columns(["host_id", "taken_at", "part"]).doUpdateSet({ body }))
    .execute();
}

export async function countParts(trx: Trx, hostId: HostId): Promise<number> {
  const { count } = await trx
    .selectFrom("snapshot_parts")
    .select((eb) => eb.fn.countAll().as("count"))
    .where("host_id", "=", hostId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Takes all staged parts out, in order. */
export async function takeParts(trx: Trx, hostId: HostId): Promise<Snapshot[]> {
  const parts = await trx
    .selectFrom("snapshot_parts")
    .select("body")
    .where("host_id", "=", hostId)
    .orderBy("part")
    .execute();
  await dropParts(trx, hostId);
  return parts.flatMap((part) => Snapshot.array().parse(JSON.parse(part.body)));
}

export async function dropParts(trx: Trx, hostId: HostId): Promise<void> {
  await trx.deleteFrom("snapshot_parts").where("host_id", "=", hostId).execute();
}

export async function readAll(trx: Trx, hostId: HostId): Promise<SnapshotRow[]> {
  return trx.selectFrom("snapshots").select(["id", "time", "body"]).where("host_id", "=", hostId).execute();
}

export async function removeRows(trx: Trx, hostId: HostId, ids: string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += BATCH)
    await trx
      .deleteFrom("snapshots")
      .where("host_id", "=", hostId)
      .where("id", "in", ids.slice(from, from + BATCH))
      .execute();
}

export async function addRows(trx: Trx, hostId: HostId, rows: SnapshotRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += BATCH)
    await trx
      .insertInto("snapshots")
      .values(
        rows.slice(from, from + BATCH).map(({ id, time, body }) => ({ host_id: hostId, id, time, body })),
      )
      .execute();
}

export async function writeTotals(trx: Trx, hostId: HostId, totals: HostUpdate): Promise<void> {
  await trx.updateTable("hosts").set(totals).where("id", "=", hostId).execute();
}

/** Newest first; `after` is the last row of the page before. */
export async function readPage(
  db: Database,
  hostId: HostId,
  limit: number,
  after: { time: number; id: string } | null,
): Promise<SnapshotRow[]> {
  let query = db.selectFrom("snapshots").select(["id", "time", "body"]).where("host_id", "=", hostId);
  if (after !== null)
    query = query.where((eb) => eb(eb.refTuple("time", "id"), "<", eb.tuple(after.time, after.id)));
  return query.orderBy("time", "desc").orderBy("id", "desc").limit(limit).execute();
}

export async function readTotals(db: Database, hostId: HostId) {
  return db
    .selectFrom("hosts")
    .select(["snapshot_count", "snapshots_taken_at"])
    .where("id", "=", hostId)
    .executeTakeFirst();
}

export async function hostNamed(trx: Trx, hostId: HostId): Promise<string | undefined> {
  const row = await trx.selectFrom("hosts").select("name").where("id", "=", hostId).executeTakeFirst();
  return row?.name;
}

/** Those of `ids` that are in the host's list. */
export async function listedAmong(trx: Trx, hostId: HostId, ids: readonly ResticId[]): Promise<Set<string>> {
  const rows = await trx
    .selectFrom("snapshots")
    .select("id")
    .where("host_id", "=", hostId)
    .where("id", "in", ids)
    .execute();
  return new Set(rows.map((row) => row.id));
}
