import { sql, type SqlBool } from "kysely";
import type { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import { diff, type DiffChange, type DiffFolder, type DiffKind } from "@restic-manager/protocol/jobs/diff";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import type { Database, Trx } from "../platform/db/schema.ts";

/** SQLite takes some 32,000 parameters in one statement; a change has eight. */
const ROWS_AT_ONCE = 500;

/** Whether this host has that job, and it compares. */
export async function isComparisonOf(trx: Trx, hostId: HostId, jobId: JobId): Promise<boolean> {
  const row = await trx
    .selectFrom("jobs")
    .select("id")
    .where("id", "=", jobId)
    .where("host_id", "=", hostId)
    .where("kind", "=", "diff")
    .executeTakeFirst();
  return row !== undefined;
}

/** Writes changes from number `first` on; those that are there stay. */
export async function insertChanges(
  trx: Trx,
  jobId: JobId,
  first: number,
  changes: readonly DiffChange[],
): Promise<void> {
  for (let at = 0; at < changes.length; at += ROWS_AT_ONCE) {
    const rows = changes.slice(at, at + ROWS_AT_ONCE).map((change, i) => ({
      job_id: jobId,
      n: first + at + i,
      path: change.path,
      kind: change.kind,
      is_folder: change.is_folder ? 1 : 0,
      suspicious: change.suspicious === true ? 1 : 0,
      size_before: change.size_before ?? null,
      size_after: change.size_after ?? null,
    }));
    await trx
      .insertInto("diff_changes")
      .values(rows)
      .onConflict((c) => c.columns(["job_id", "n"]).doNothing())
      .execute();
  }
}

export interface ChangeFilter {
  kinds: readonly DiffKind[] | undefined;
  /** Part of a path, in any letters. */
  part: string | undefined;
  /** A folder. */
  below: string | undefined;
}

/** Changes behind number `after`, in order, and how many pass the filter in all. */
export async function readChanges(
  db: Database,
  jobId: JobId,
  { kinds, part, below }: ChangeFilter,
  page: { after: number; limit: number },
): Promise<{ rows: (DiffChange & { n: number })[]; total: number }> {
  let query = db.selectFrom("diff_changes").where("job_id", "=", jobId);
  if (kinds !== undefined) query = query.where("kind", "in", kinds);
  // The store lowers both: SQLite knows only the letters of ASCII, and would not find an Ü that was lowered here.
  if (part !== undefined)
    query = query.where(sql<SqlBool>`lower(path) like lower(${`%${escaped(part)}%`}) escape '!'`);
  if (below !== undefined && below !== "/") {
    const inside = `${below.replace(/\/+$/, "")}/`;
    // Not LIKE, for which SQLite takes /etc and /ETC for one folder.
    query = query.where(sql<SqlBool>`substr(path, 1, ${Array.from(inside).length}) = ${inside}`);
  }
  const rows = await query.selectAll().where("n", ">", page.after).orderBy("n").limit(page.limit).execute();
  const { total } = await query.select((e) => e.fn.countAll().as("total")).executeTakeFirstOrThrow();
  return {
    total: Number(total),
    rows: rows.map(({ n, path, kind, is_folder, suspicious, size_before, size_after }) => ({
      n,
      path,
      kind,
      is_folder: is_folder === 1,
      ...(suspicious === 1 ? { suspicious: true } : {}),
      ...(size_before === null ? {} : { size_before }),
      ...(size_after === null ? {} : { size_after }),
    })),
  };
}

/** What a job compares, and by folder what it found once it has succeeded; undefined when it is none that compares. */
export async function comparisonById(
  db: Database,
  jobId: JobId,
): Promise<{ from: ResticId; to: ResticId; folders: DiffFolder[] | undefined } | undefined> {
  const row = await db
    .selectFrom("jobs")
    .select(["input", "result"])
    .where("id", "=", jobId)
    .where("kind", "=", "diff")
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { from, to } = diff.input.parse(JSON.parse(row.input));
  const found = row.result === null ? undefined : diff.result.parse(JSON.parse(row.result));
  return { from, to, folders: found?.folders };
}

export async function hostById(
  trx: Trx,
  hostId: HostId,
): Promise<{ name: string; online: number } | undefined> {
  return await trx.selectFrom("hosts").select(["name", "online"]).where("id", "=", hostId).executeTakeFirst();
}

export async function snapshotById(trx: Trx, hostId: HostId, id: ResticId): Promise<Snapshot | undefined> {
  const row = await trx
    .selectFrom("snapshots")
    .select("body")
    .where("host_id", "=", hostId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : Snapshot.parse(JSON.parse(row.body));
}

/** Snapshots before an instant, newest first, one after the other. */
export async function* snapshotsBefore(trx: Trx, hostId: HostId, time: number): AsyncGenerator<Snapshot> {
  for (let [at, id] = [time, ""]; ;) {
    const rows = await trx
      .selectFrom("snapshots")
      .select(["body", "time", "id"])
      .where("host_id", "=", hostId)
      .where(sql<SqlBool>`(time, id) < (${at}, ${id})`)
      .orderBy("time", "desc")
      .orderBy("id", "desc")
      .limit(100)
      .execute();
    for (const row of rows) yield Snapshot.parse(JSON.parse(row.body));
    const last = rows.at(-1);
    if (last === undefined || rows.length < 100) return;
    [at, id] = [last.time, last.id];
  }
}

/** The signs that mean something to LIKE. */
function escaped(text: string): string {
  return text.replaceAll(/[!%_]/g, "!$&");
}
