import { sql, type SqlBool } from "kysely";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";

export type EndedJob = Pick<JobRecord, "id" | "host_id" | "log_bytes"> & { finished_at: number };

/** The place before all. */
export const START = { finishedAt: Number.MIN_SAFE_INTEGER, id: "" };

// Conditions stand in the text, not in parameters: partial indexes are found only so.
const ENDED = sql<SqlBool>`finished_at is not null`;
const HAS_LOG = sql<SqlBool>`log_bytes > 0`;

/** Jobs that ended not after `until` and still have a log, the oldest first, from behind `after`. */
export async function jobsWithLog(
  trx: Trx,
  wanted: { until: number; hostId?: HostId; after: { finishedAt: number; id: string }; limit: number },
): Promise<EndedJob[]> {
  const { until, hostId, after, limit } = wanted;
  let query = trx.selectFrom("jobs").select(["id", "host_id", "log_bytes", "finished_at"]).where(HAS_LOG);
  if (hostId !== undefined) query = query.where("host_id", "=", hostId);
  const rows = await query
    .where(ENDED)
    .where("finished_at", "<=", until)
    .where(sql<SqlBool>`(finished_at, id) > (${after.finishedAt}, ${after.id})`)
    .orderBy("finished_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, finished_at: row.finished_at ?? 0 }));
}

/**
 * Those of `ids` that are not the newest of their host and kind with a log: they may go. The plus signs keep both databases
 * from an index in which a host's rare kind is searched among all its jobs.
 */
export async function withNewerLog(trx: Trx, ids: readonly JobId[]): Promise<Set<JobId>> {
  const { rows } = await sql<{ id: JobId }>`
    select old.id from jobs as old where old.id in (${sql.join(ids)}) and exists
      (select 1 from jobs as newer where newer.host_id = old.host_id and newer.kind = old.kind
       and newer.state in ('succeeded', 'failed', 'cancelled') and newer.finished_at is not null
       and newer.finished_at > old.finished_at and +newer.log_bytes > 0)`.execute(trx);
  return new Set(rows.map((row) => row.id));
}

/** Marks that a log is gone; its lines follow. A mark that is there stays as it is. */
export async function markLogsRemoved(
  trx: Trx,
  ids: readonly JobId[],
  at: number,
  why: "age" | "room",
): Promise<void> {
  await trx
    .updateTable("jobs")
    .set({ log_removed_at: at, log_removed_for: why })
    .where("id", "in", ids)
    .where("log_removed_at", "is", null)
    .execute();
}

/** Deletes at most `limit` chunks of these jobs. @returns how many there were. */
export async function deleteChunks(trx: Trx, ids: readonly JobId[], limit: number): Promise<number> {
  const done = await trx
    .deleteFrom("log_chunks")
    .where((e) =>
      e(
        e.refTuple("job_id", "first_line"),
        "in",
        e
          .selectFrom("log_chunks as doomed")
          .select(["doomed.job_id", "doomed.first_line"])
          .where("doomed.job_id", "in", ids)
          .limit(limit)
          .$asTuple("job_id", "first_line"),
      ),
    )
    .executeTakeFirst();
  return Number(done.numDeletedRows);
}

/** Once no chunk is left: forgets the gaps, and what the logs took. */
export async function closeLogs(trx: Trx, jobs: readonly EndedJob[]): Promise<void> {
  const ids = jobs.map((job) => job.id);
  await trx.deleteFrom("log_gaps").where("job_id", "in", ids).execute();
  await trx.updateTable("jobs").set({ log_bytes: 0 }).where("id", "in", ids).execute();
  const byHost = new Map<HostId, number>();
  for (const job of jobs) byHost.set(job.host_id, (byHost.get(job.host_id) ?? 0) + job.log_bytes);
  // In one order, so that two servers cannot wait for each other.
  for (const [hostId, bytes] of [...byHost].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    if (bytes > 0)
      await trx
        .updateTable("hosts")
        .set((e) => ({ log_bytes: e("log_bytes", "-", bytes) }))
        .where("id", "=", hostId)
        .execute();
}

/** What the logs of all hosts take; read from an index alone. */
export async function allLogBytes(db: Database): Promise<number> {
  const row = await db
    .selectFrom("hosts")
    .select((e) => e.fn.sum<number | null>("log_bytes").as("bytes"))
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}

/** The host with the smallest id behind `after` whose logs take more than `most`. */
export async function hostOverLogBytes(db: Database, most: number, after: string) {
  return db
    .selectFrom("hosts")
    .select(["id", "log_bytes"])
    .where("log_bytes", ">", most)
    .where(sql<SqlBool>`id > ${after}`)
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
}

/** Jobs that ended not after `until`, the oldest first, from behind `after`. */
export async function endedJobs(
  trx: Trx,
  until: number,
  after: { finishedAt: number; id: string },
  limit: number,
): Promise<EndedJob[]> {
  const rows = await trx
    .selectFrom("jobs")
    .select(["id", "host_id", "log_bytes", "finished_at"])
    .where(ENDED)
    .where("finished_at", "<=", until)
    .where(sql<SqlBool>`(finished_at, id) > (${after.finishedAt}, ${after.id})`)
    .orderBy("finished_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, finished_at: row.finished_at ?? 0 }));
}

/**
 * Those of `ids` on which nothing rests: of the same host, kind and outcome there is a newer one, made later and ended later, and,
 * if it succeeded, an earlier one too. What stays is the first success and the newest of each outcome, and with them how the
 * host stands, its last success and whether its repository was opened.
 */
export async function dispensableJobs(trx: Trx, ids: readonly JobId[]): Promise<Set<JobId>> {
  const same = "other.host_id = old.host_id and other.kind = old.kind and other.state = old.state";
  const { rows } = await sql<{ id: JobId }>`
    select old.id from jobs as old where old.id in (${sql.join(ids)})
    and exists (select 1 from jobs as other where ${sql.raw(same)} and other.finished_at is not null
      and other.finished_at > old.finished_at and other.created_at > old.created_at)
    and (old.state <> 'succeeded' or exists (select 1 from jobs as other where ${sql.raw(same)}
      and other.finished_at is not null and other.finished_at < old.finished_at))`.execute(trx);
  return new Set(rows.map((row) => row.id));
}

export async function deleteJobs(trx: Trx, ids: readonly JobId[]): Promise<void> {
  await trx.deleteFrom("jobs").where("id", "in", ids).execute();
}

/** Deletes at most `limit` audit rows from before `before`, the oldest first. @returns how many there were. */
export async function deleteAudit(db: Database, before: number, limit: number): Promise<number> {
  const done = await db
    .deleteFrom("audit")
    .where("id", "in", (e) =>
      e.selectFrom("audit").select("id").where("at", "<", before).orderBy("at").limit(limit),
    )
    .executeTakeFirst();
  return Number(done.numDeletedRows);
}
