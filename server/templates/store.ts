import type { HostId, ScheduleId, SourceGroupId, TemplateId } from "@restic-manager/protocol/ids";
import { rowLock } from "../platform/db/dialect.ts";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type TemplateRow = Tables["policy_templates"];
export type FollowerRow = Tables["template_hosts"];

/** By name. */
export async function readTemplates(db: Database): Promise<TemplateRow[]> {
  return db.selectFrom("policy_templates").selectAll().orderBy("name_key").execute();
}

export async function readTemplate(db: Database, id: TemplateId): Promise<TemplateRow | undefined> {
  return db.selectFrom("policy_templates").selectAll().where("id", "=", id).executeTakeFirst();
}

/** As `readTemplate`, and nobody else changes it until the commit. */
export async function lockTemplate(trx: Trx, id: TemplateId): Promise<TemplateRow | undefined> {
  return trx
    .selectFrom("policy_templates")
    .selectAll()
    .where("id", "=", id)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

/** @throws a unique violation (`isUniqueViolation`) when another template has the name. */
export async function insertTemplate(trx: Trx, row: TemplateRow): Promise<void> {
  await trx.insertInto("policy_templates").values(row).execute();
}

/** @throws as `insertTemplate`. */
export async function updateTemplate(
  trx: Trx,
  id: TemplateId,
  row: Omit<TemplateRow, "id" | "created_at">,
): Promise<void> {
  await trx.updateTable("policy_templates").set(row).where("id", "=", id).execute();
}

/** Its hosts keep what they have, and follow nothing. */
export async function removeTemplate(trx: Trx, id: TemplateId): Promise<void> {
  await trx.deleteFrom("policy_templates").where("id", "=", id).execute();
}

export async function readFollower(db: Database, hostId: HostId): Promise<FollowerRow | undefined> {
  return db.selectFrom("template_hosts").selectAll().where("host_id", "=", hostId).executeTakeFirst();
}

export async function writeFollower(trx: Trx, row: FollowerRow): Promise<void> {
  await trx
    .insertInto("template_hosts")
    .values(row)
    .onConflict((conflict) => conflict.column("host_id").doUpdateSet(row))
    .execute();
}

export async function removeFollower(trx: Trx, hostId: HostId): Promise<void> {
  await trx.deleteFrom("template_hosts").where("host_id", "=", hostId).execute();
}

/** The hosts that follow a template, by id. */
export async function readFollowers(db: Database, templateId: TemplateId): Promise<FollowerRow[]> {
  return db
    .selectFrom("template_hosts")
    .selectAll()
    .where("template_id", "=", templateId)
    .orderBy("host_id")
    .execute();
}

export interface TargetHost {
  id: HostId;
  name: string;
  schedule_version: number;
}

/** Those of these hosts that exist, by name. */
export async function readTargets(db: Database, ids: readonly HostId[]): Promise<TargetHost[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom("hosts")
    .select(["id", "name", "schedule_version"])
    .where("id", "in", ids)
    .orderBy("name_key")
    .execute();
}

export async function readTagged(db: Database, tag: string): Promise<HostId[]> {
  const rows = await db
    .selectFrom("host_tags")
    .select("host_id")
    .where("tag", "=", tag)
    .orderBy("host_id")
    .execute();
  return rows.map((row) => row.host_id);
}

/** All schedules of these hosts with the groups they fire, both in their order. */
export async function readSchedulesOfHosts(db: Database, ids: readonly HostId[]) {
  const schedules = await db
    .selectFrom("schedules")
    .selectAll()
    .where("host_id", "in", ids)
    .orderBy("created_at")
    .orderBy("id")
    .execute();
  const groups = await db
    .selectFrom("schedule_groups")
    .innerJoin("schedules", "schedules.id", "schedule_groups.schedule_id")
    .select(["schedule_groups.schedule_id", "schedule_groups.source_group_id"])
    .where("schedules.host_id", "in", ids)
    .orderBy("schedule_groups.position")
    .execute();
  return { schedules, groups };
}

/** When repositories of these hosts are looked after; a host may have no row. */
export async function readSettingsOfHosts(db: Database, ids: readonly HostId[]) {
  return db.selectFrom("repo_maintenance").selectAll().where("host_id", "in", ids).execute();
}

/** What of a host came from a template: name there to id here. */
export function originOf(row: Pick<FollowerRow, "groups" | "schedules"> | undefined): {
  groups: Record<string, SourceGroupId>;
  schedules: Record<string, ScheduleId>;
} {
  if (row === undefined) return { groups: {}, schedules: {} };
  return {
    groups: JSON.parse(row.groups) as Record<string, SourceGroupId>,
    schedules: JSON.parse(row.schedules) as Record<string, ScheduleId>,
  };
}

/** Frees the names of these groups: two that swap theirs would meet half-way. */
export async function freeNames(trx: Trx, ids: readonly SourceGroupId[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable("source_groups")
    .set((eb) => ({ name: eb.ref("id") }))
    .where("id", "in", ids)
    .execute();
}
