import { sql, type SqlBool } from "kysely";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import { ready, readyForRows } from "../platform/db/ready.ts";
import type { Database, JobRecord, NewJobRecord, Trx } from "../platform/db/schema.ts";

/** The states that can still change. */
const ACTIVE = ["queued", "running"] as const;

export async function insertJob(trx: Trx, job: NewJobRecord): Promise<JobRecord> {
  return await trx.insertInto("jobs").values(job).returningAll().executeTakeFirstOrThrow();
}

/** A job that was never sent, as `insertQueued` writes it. */
export type QueuedJob = Pick<
  JobRecord,
  | "id"
  | "host_id"
  | "kind"
  | "actor_kind"
  | "actor_id"
  | "actor_name"
  | "source_group_id"
  | "source_group_name"
  | "schedule_id"
  | "input"
  | "created_at"
>;

export async function insertQueued(trx: Trx, job: QueuedJob): Promise<void> {
  await insertNew(trx, [job]);
}

const insertNew = readyForRows(
  [
    "id",
    "host_id",
    "kind",
    "actor_kind",
    "actor_id",
    "actor_name",
    "source_group_id",
    "source_group_name",
    "schedule_id",
    "input",
    "created_at",
  ],
  (db, jobs: QueuedJob[]) =>
    db.insertInto("jobs").values(jobs.map((job) => ({ ...job, state: "queued" as const }))),
);

/** A job of this host; another host's is `undefined`, so that no agent can write to it. */
/** With how far the agent's clock was ahead at its last hello, in milliseconds. */
export async function jobOfHost(
  trx: Trx,
  hostId: HostId,
  id: JobId,
): Promise<(JobRecord & { clock_skew_ms: number | null }) | undefined> {
  return (await selectOfHost(trx, { hostId, id })).rows[0];
}

const selectOfHost = ready((db, { hostId, id }: { hostId: HostId; id: JobId }) =>
  db
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .selectAll("jobs")
    .select("hosts.clock_skew_ms")
    .where("jobs.id", "=", id)
    .where("jobs.host_id", "=", hostId),
);

/** How far the agent's clock was ahead at its last hello, in milliseconds. */
export async function clockSkew(trx: Trx, hostId: HostId): Promise<number | null> {
  return (await selectSkew(trx, { hostId })).rows[0]?.clock_skew_ms ?? null;
}

const selectSkew = ready((db, { hostId }: { hostId: HostId }) =>
  db.selectFrom("hosts").select("clock_skew_ms").where("id", "=", hostId),
);

export async function jobById(db: Database | Trx, id: JobId): Promise<JobRecord | undefined> {
  return (await selectById(db, { id })).rows[0];
}

const selectById = ready((db, { id }: { id: JobId }) =>
  db.selectFrom("jobs").selectAll().where("id", "=", id),
);

export async function jobsById(db: Database, ids: readonly JobId[]): Promise<JobRecord[]> {
  if (ids.length === 0) return [];
  return await db.selectFrom("jobs").selectAll().where("id", "in", ids).execute();
}

export async function setAccepted(trx: Trx, id: JobId, at: number): Promise<void> {
  await accept(trx, { id, at });
}

const accept = ready((db, { id, at }: { id: JobId; at: number }) =>
  db
    .updateTable("jobs")
    .set({ accepted_at: at })
    .where("id", "=", id)
    .where("state", "=", "queued")
    .where("accepted_at", "is", null),
);

/** queued → running. False when the job had left `queued`. */
export async function setRunning(trx: Trx, id: JobId, at: number): Promise<boolean> {
  return Number((await run(trx, { id, at })).numAffectedRows) === 1;
}

const run = ready((db, { id, at }: { id: JobId; at: number }) =>
  db
    .updateTable("jobs")
    .set((e) => ({ state: "running", started_at: at, accepted_at: e.fn.coalesce("accepted_at", e.val(at)) }))
    .where("id", "=", id)
    .where("state", "=", "queued"),
);

/** How a job ends in the table. */
export type Ending =
  | { state: "succeeded"; started_at: number; result: string; issue_count: number }
  | { state: "failed"; started_at: number | null; error: JobError; left?: string | null }
  | { state: "cancelled"; started_at: number | null; left?: string | null };

/** How a job's log ends: its lines, those of them that nobody has, and what it takes. */
export interface LogEnding {
  lines: number;
  missing: number;
  bytes: number;
}

/**
 * queued or running → finished. False when the job had ended before: the first outcome wins. A clock that was set back meanwhile,
 * here or at the agent, does not make it end before it was made or begun. Without `log` that stays as it is.
 */
export async function setFinished(
  trx: Trx,
  id: JobId,
  at: number,
  ending: Ending,
  log?: LogEnding,
): Promise<boolean> {
  const { numAffectedRows } = await end(trx, {
    id,
    at,
    lines: log?.lines ?? null,
    missing: log?.missing ?? null,
    bytes: log?.bytes ?? null,
    state: ending.state,
    startedAt: ending.started_at,
    result: ending.state === "succeeded" ? ending.result : null,
    issues: ending.state === "succeeded" ? ending.issue_count : 0,
    error: ending.state === "failed" ? JSON.stringify(ending.error) : null,
    left: ending.state === "succeeded" ? null : (ending.left ?? null),
  });
  return Number(numAffectedRows) === 1;
}

interface End {
  id: JobId;
  at: number;
  state: Ending["state"];
  startedAt: number | null;
  result: string | null;
  issues: number;
  error: string | null;
  left: string | null;
  lines: number | null;
  missing: number | null;
  bytes: number | null;
}

const end = ready(
  (db, { id, at, state, startedAt, result, issues, error, left, lines, missing, bytes }: End) =>
    db
      .updateTable("jobs")
      .set((e) => {
        const begun = e.fn.coalesce("started_at", e.val(startedAt), "created_at");
        return {
          state,
          finished_at: e.case().when(begun, ">", at).then(begun).else(at).end(),
          started_at: e.fn.coalesce("started_at", e.val(startedAt)),
          result,
          issue_count: issues,
          error,
          left_behind: left,
          log_lines: e.fn.coalesce(e.val(lines), "log_lines"),
          log_missing: e.fn.coalesce(e.val(missing), "log_missing"),
          log_bytes: e.fn.coalesce(e.val(bytes), "log_bytes"),
        };
      })
      .where("id", "=", id)
      .where("state", "in", ACTIVE),
);

/** queued and never sent → cancelled. False when it had been sent: then the agent decides. */
export async function cancelUnsent(trx: Trx, id: JobId, at: number): Promise<boolean> {
  const moved = await trx
    .updateTable("jobs")
    .set((e) => ({
      state: "cancelled",
      finished_at: e.case().when("created_at", ">", at).then(e.ref("created_at")).else(at).end(),
      cancel_requested_at: at,
    }))
    .where("id", "=", id)
    .where("state", "=", "queued")
    .where("sent_at", "is", null)
    .executeTakeFirst();
  return Number(moved.numUpdatedRows) === 1;
}

export async function setCancelRequested(trx: Trx, id: JobId, at: number): Promise<void> {
  await trx
    .updateTable("jobs")
    .set((e) => ({ cancel_requested_at: e.fn.coalesce("cancel_requested_at", e.val(at)) }))
    .where("id", "=", id)
    .where("state", "in", ACTIVE)
    .execute();
}

export interface JobFilter {
  hostId?: HostId | undefined;
  kind?: JobRecord["kind"] | undefined;
  state?: JobRecord["state"] | "active" | "finished" | "issues" | undefined;
  /** Only jobs created before this one. */
  after?: { createdAt: number; id: JobId } | undefined;
  limit: number;
}

/** What a list's state means. In the text, not as parameters: partial indexes are found only so. */
const STATE_FILTERS: Record<NonNullable<JobFilter["state"]>, SqlText> = {
  active: "state in ('queued', 'running')",
  queued: "state in ('queued', 'running') and state = 'queued'",
  running: "state in ('queued', 'running') and state = 'running'",
  finished: "finished_at is not null",
  // Most jobs of a list succeed: in their order one is found at once, so no index of their own is kept.
  succeeded: "state = 'succeeded'",
  issues: "state = 'succeeded' and issue_count > 0",
  failed: "state = 'failed'",
  cancelled: "state = 'cancelled'",
};
type SqlText = string;

/** Newest first. Each filter has an index that holds its jobs in this order, or finds most of what it passes over. */
export async function listJobs(db: Database, filter: JobFilter): Promise<JobRecord[]> {
  const { hostId, kind, state, after } = filter;
  let query = db.selectFrom("jobs").selectAll();
  if (hostId !== undefined) query = query.where("host_id", "=", hostId);
  if (kind !== undefined) query = query.where(sql<SqlBool>`kind = ${sql.lit(kind)}`);
  // Says to the planner what follows from the kind.
  if (kind !== undefined && kind !== "backup") query = query.where(sql<SqlBool>`kind <> 'backup'`);
  if (state !== undefined) query = query.where(sql.raw<SqlBool>(STATE_FILTERS[state]));
  // True of every job: it says that those of the whole fleet are asked for, by time. See the migration 0007.
  if (state !== undefined && hostId === undefined) query = query.where(sql<SqlBool>`created_at > 0`);
  if (after !== undefined)
    query = query.where(sql<SqlBool>`(created_at, id) < (${after.createdAt}, ${after.id})`);
  return await query.orderBy("created_at", "desc").orderBy("id", "desc").limit(filter.limit).execute();
}

export async function hostNames(
  db: Database | Trx,
  ids: HostId[],
): Promise<Map<HostId, { name: string; online: boolean }>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("hosts")
    .select(["id", "name", "online"])
    .where("id", "in", [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, { name: row.name, online: row.online === 1 }]));
}
