import type { HostId, JobId, ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobState } from "@restic-manager/protocol/jobs";
import type { Insertable, Selectable } from "kysely";
import { rowLock } from "../platform/db/dialect.ts";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type ScheduleRow = Selectable<Tables["schedules"]>;
export type NewScheduleRow = Insertable<Tables["schedules"]>;
export type FireRow = Tables["schedule_fires"];

/** What of a host its schedules depend on. */
const HOST_COLUMNS = [
  "id",
  "name",
  "online",
  "timezone",
  "schedule_version",
  "schedule_applied_version",
  "paused_at",
  "paused_reason",
  "paused_by",
] as const;

export type ScheduleHost = NonNullable<Awaited<ReturnType<typeof readScheduleHost>>>;

export async function readScheduleHost(db: Database, hostId: HostId) {
  return db.selectFrom("hosts").select(HOST_COLUMNS).where("id", "=", hostId).executeTakeFirst();
}

/** As `readScheduleHost`, and nobody else changes the host until the commit. */
export async function lockScheduleHost(trx: Trx, hostId: HostId): Promise<ScheduleHost | undefined> {
  return trx
    .selectFrom("hosts")
    .select(HOST_COLUMNS)
    .where("id", "=", hostId)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

/** Oldest first. */
export async function readSchedules(db: Database, hostId: HostId): Promise<ScheduleRow[]> {
  return db
    .selectFrom("schedules")
    .selectAll()
    .where("host_id", "=", hostId)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
}

/** The groups of each schedule of a host, in their order. */
export async function readGroupsOf(
  db: Database,
  hostId: HostId,
): Promise<Map<ScheduleId, { id: SourceGroupId; name: string }[]>> {
  const rows = await db
    .selectFrom("schedule_groups")
    .innerJoin("schedules", "schedules.id", "schedule_groups.schedule_id")
    .innerJoin("source_groups", "source_groups.id", "schedule_groups.source_group_id")
    .select(["schedule_groups.schedule_id", "source_groups.id", "source_groups.name"])
    .where("schedules.host_id", "=", hostId)
    .orderBy("schedule_groups.position")
    .execute();
  const found = new Map<ScheduleId, { id: SourceGroupId; name: string }[]>();
  for (const { schedule_id, id, name } of rows)
    found.set(schedule_id, [...(found.get(schedule_id) ?? []), { id, name }]);
  return found;
}

export async function insertSchedule(trx: Trx, row: NewScheduleRow): Promise<void> {
  await trx.insertInto("schedules").values(row).execute();
}

/** `by`: who changes it, and when. */
export async function updateSchedule(
  trx: Trx,
  id: ScheduleId,
  row: Partial<Omit<ScheduleRow, "id" | "host_id" | "version" | "changed_at" | "changed_by">>,
  by: { changed_at: number; changed_by: string },
): Promise<void> {
  await trx
    .updateTable("schedules")
    .set((eb) => ({ ...row, ...by, version: eb("version", "+", 1) }))
    .where("id", "=", id)
    .execute();
}

export async function removeSchedule(trx: Trx, id: ScheduleId): Promise<void> {
  await trx.deleteFrom("schedules").where("id", "=", id).execute();
}

export async function writeGroupsOf(
  trx: Trx,
  scheduleId: ScheduleId,
  groups: readonly SourceGroupId[],
): Promise<void> {
  await trx.deleteFrom("schedule_groups").where("schedule_id", "=", scheduleId).execute();
  await trx
    .insertInto("schedule_groups")
    .values(groups.map((id, position) => ({ schedule_id: scheduleId, source_group_id: id, position })))
    .execute();
}

/** The schedules that fire a group. */
export async function schedulesUsing(
  trx: Trx,
  groupId: SourceGroupId,
): Promise<{ id: string; cron: string }[]> {
  return trx
    .selectFrom("schedule_groups")
    .innerJoin("schedules", "schedules.id", "schedule_groups.schedule_id")
    .select(["schedules.id", "schedules.cron"])
    .where("schedule_groups.source_group_id", "=", groupId)
    .orderBy("schedules.created_at")
    .execute();
}

/** Of each schedule the newest fire that is known. */
export async function readLastFires(
  db: Database,
  hostId: HostId,
  scheduleIds: readonly ScheduleId[],
): Promise<Map<ScheduleId, FireRow>> {
  const found = new Map<ScheduleId, FireRow>();
  // One probe of the primary key each; a host has a handful.
  for (const id of scheduleIds) {
    const fire = await db
      .selectFrom("schedule_fires")
      .selectAll()
      .where("host_id", "=", hostId)
      .where("schedule_id", "=", id)
      .orderBy("scheduled_at", "desc")
      .limit(1)
      .executeTakeFirst();
    if (fire !== undefined) found.set(id, fire);
  }
  return found;
}

export async function readJobStates(db: Database, ids: readonly JobId[]): Promise<Map<JobId, JobState>> {
  if (ids.length === 0) return new Map();
  const rows = await db.selectFrom("jobs").select(["id", "state"]).where("id", "in", ids).execute();
  return new Map(rows.map((row) => [row.id, row.state]));
}

/** Notes a fire, or the jobs of a later attempt of it. */
export async function writeFire(trx: Trx, row: FireRow): Promise<void> {
  await trx
    .insertInto("schedule_fires")
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(["host_id", "schedule_id", "scheduled_at"]).doUpdateSet({ job_ids: row.job_ids }),
    )
    .execute();
}

export async function removeOldFires(db: Database, before: number): Promise<void> {
  await db.deleteFrom("schedule_fires").where("fired_at", "<", before).execute();
}

export async function writePause(
  trx: Trx,
  hostId: HostId,
  pause: { at: number; reason: string; by: string } | null,
): Promise<void> {
  await trx
    .updateTable("hosts")
    .set({
      paused_at: pause?.at ?? null,
      paused_reason: pause?.reason ?? null,
      paused_by: pause?.by ?? null,
    })
    .where("id", "=", hostId)
    .execute();
}

/** Fires before `at` are not expected any more, since none could have run. */
export async function countAllFrom(trx: Trx, hostId: HostId, at: number): Promise<void> {
  await trx.updateTable("schedules").set({ counts_from: at }).where("host_id", "=", hostId).execute();
}
