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
    "input",
    "created_at",
  ],
  (db, jobs: QueuedJob[]) =>
    db.insertInto("jobs").values(jobs.map((job) => ({ ...job, state: "queued" as const }))),
);

/** A job of this host; another host's is `undefined`, so that no agent can write to it. */
export async function jobOfHost(trx: Trx, hostId: HostId, id: JobId): Promise<JobRecord | undefined> {
  return (await selectOfHost(trx, { hostId, id })).rows[0];
}

const selectOfHost = ready((db, { hostId, id }: { hostId: HostId; id: JobId }) =>
  db.selectFrom("jobs").selectAll().where("id", "=", id).where("host_id", "=", hostId),
);

/** How far the agent's clock was ahead at its last hello, in milliseconds. */
export async function clockSkew(trx: Trx, hostId: HostId): Promise<number | null> {
  return (await selectSkew(trx, { hostId })).rows[0]?.clock_skew_ms ?? null;
}

const selectSkew = ready((db, { hostId }: { hostId: HostId }) =>
  db.selectFrom("hosts").select("clock_skew_ms").where("id", "=", hostId),
);

export async function jobById(db: Database | Trx, id: JobId): Promise<JobRecord | undefined> {
  return await db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
}

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
  | { state: "failed"; started_at: number | null; error: JobError }
  | { state: "cancelled"; started_at: number | null };

/** queued or running → finished. False when the job had ended before: the first outcome wins. */
export async function setFinished(trx: Trx, id: JobId, at: number, ending: Ending): Promise<boolean> {
  const { numAffectedRows } = await end(trx, {
    id,
    at,
    state: ending.state,
    startedAt: ending.started_at,
    result: ending.state === "succeeded" ? ending.result : null,
    issues: ending.state === "succeeded" ? ending.issue_count : 0,
    error: ending.state === "failed" ? JSON.stringify(ending.error) : null,
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
}

const end = ready((db, { id, at, state, startedAt, result, issues, error }: End) =>
  db
    .updateTable("jobs")
    .set((e) => ({
      state,
      finished_at: at,
      started_at: e.fn.coalesce("started_at", e.val(startedAt)),
      result,
      issue_count: issues,
      error,
    }))
    .where("id", "=", id)
    .where("state", "in", ACTIVE),
);

/** queued and never sent → cancelled. False when it had been sent: then the agent decides. */
export async function cancelUnsent(trx: Trx, id: JobId, at: number): Promise<boolean> {
  const moved = await trx
    .updateTable("jobs")
    .set({ state: "cancelled", finished_at: at, cancel_requested_at: at })
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

/** Newest first. */
export async function listJobs(db: Database, filter: JobFilter): Promise<JobRecord[]> {
  let query = db.selectFrom("jobs").selectAll();
  if (filter.hostId !== undefined) query = query.where("host_id", "=", filter.hostId);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  const { state, after } = filter;
  // In the text, not as parameters: only so is the partial index found, and few of many jobs are active.
  if (state === "active") query = query.where(sql<SqlBool>`state in ('queued', 'running')`);
  else if (state === "finished") query = query.where("state", "not in", ACTIVE);
  else if (state === "issues") query = query.where("state", "=", "succeeded").where("issue_count", ">", 0);
  else if (state !== undefined) query = query.where("state", "=", state);
  if (after !== undefined) {
    query = query.where((e) =>
      e.or([
        e("created_at", "<", after.createdAt),
        e.and([e("created_at", "=", after.createdAt), e("id", "<", after.id)]),
      ]),
    );
  }
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
