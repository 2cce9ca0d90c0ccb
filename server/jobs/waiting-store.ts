import { sql, type SqlBool } from "kysely";
import type { HostId, JobId, ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { Database, Trx } from "../platform/db/schema.ts";

export interface WaitingJob {
  id: JobId;
  host_id: HostId;
  host_name: string;
  source_group_name: string | null;
  created_at: number;
  schedule_id: ScheduleId | null;
  known_schedule: ScheduleId | null;
  /** Null when the group is gone. */
  retry_max: number | null;
  retry_backoff_seconds: number | null;
}

/** Jobs of a source group that no agent has got, at hosts that are not connected. */
export async function waitingForHost(db: Database): Promise<WaitingJob[]> {
  return await db
    .selectFrom("jobs")
    .innerJoin("hosts", "hosts.id", "jobs.host_id")
    .leftJoin("source_groups", "source_groups.id", "jobs.source_group_id")
    .leftJoin("schedules", "schedules.id", "jobs.schedule_id")
    .select([
      "jobs.id",
      "jobs.host_id",
      "hosts.name as host_name",
      "jobs.source_group_name",
      "jobs.created_at",
      "jobs.schedule_id",
      "schedules.id as known_schedule",
      "source_groups.retry_max",
      "source_groups.retry_backoff_seconds",
    ])
    // In the text, not as a parameter: only so is the partial index found.
    .where(sql<SqlBool>`jobs.state in ('queued', 'running')`)
    .where("jobs.state", "=", "queued")
    .where("jobs.sent_at", "is", null)
    .where("jobs.source_group_id", "is not", null)
    .where("hosts.online", "=", 0)
    .execute();
}

/** queued and never sent → failed with `error`, or cancelled. False when it was sent or ended meanwhile. */
export async function endWaiting(trx: Trx, id: JobId, at: number, error: JobError | null): Promise<boolean> {
  const set =
    error === null
      ? { state: "cancelled" as const, cancel_requested_at: at }
      : { state: "failed" as const, error: JSON.stringify(error) };
  const moved = await trx
    .updateTable("jobs")
    .set({ ...set, finished_at: at })
    .where("id", "=", id)
    .where("state", "=", "queued")
    .where("sent_at", "is", null)
    .executeTakeFirst();
  return Number(moved.numUpdatedRows) === 1;
}

/** What goes: a group, or a schedule; of one that stays (`groups`: what it fires now) only what it fires no longer. */
export type Going =
  | { sourceGroupId: SourceGroupId }
  | { scheduleId: ScheduleId; groups?: readonly SourceGroupId[] | undefined };

/** Cancels what waits of something that goes. */
export async function dropWaiting(trx: Trx, of: Going, at: number): Promise<JobId[]> {
  let query = trx
    .updateTable("jobs")
    .set({ state: "cancelled", finished_at: at, cancel_requested_at: at })
    .where(sql<SqlBool>`state in ('queued', 'running')`)
    .where("state", "=", "queued")
    .where("sent_at", "is", null);
  query =
    "sourceGroupId" in of
      ? query.where("source_group_id", "=", of.sourceGroupId)
      : query.where("schedule_id", "=", of.scheduleId);
  if ("scheduleId" in of && of.groups !== undefined && of.groups.length > 0)
    query = query.where("source_group_id", "not in", of.groups);
  return (await query.returning("id").execute()).map((row) => row.id);
}
