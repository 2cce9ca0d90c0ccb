import type { HostId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { Insertable, Selectable } from "kysely";
import { rowLock } from "../platform/db/dialect.ts";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type SourceGroupRow = Selectable<Tables["source_groups"]>;
export type NewSourceGroupRow = Insertable<Tables["source_groups"]>;
export type HooksRow = Tables["hooks"];

/** A group with the name of its host. */
export type GroupOfHost = SourceGroupRow & { host_name: string };

export async function insertSourceGroup(trx: Trx, row: NewSourceGroupRow): Promise<SourceGroupRow> {
  return trx.insertInto("source_groups").values(row).returningAll().executeTakeFirstOrThrow();
}

export async function updateSourceGroup(
  trx: Trx,
  id: SourceGroupId,
  row: Omit<NewSourceGroupRow, "id" | "host_id" | "created_at" | "version">,
): Promise<void> {
  await trx
    .updateTable("source_groups")
    .set((eb) => ({ ...row, version: eb("version", "+", 1) }))
    .where("id", "=", id)
    .execute();
}

/** Takes its hooks with it. */
export async function removeSourceGroup(trx: Trx, hostId: HostId, id: SourceGroupId): Promise<void> {
  await trx.deleteFrom("hooks").where("host_id", "=", hostId).where("source_group_id", "=", id).execute();
  await trx.deleteFrom("source_groups").where("id", "=", id).execute();
}

/** Undefined when there is no such host. */
export async function readSourceGroups(db: Database, hostId: HostId): Promise<SourceGroupRow[] | undefined> {
  const groups = await db
    .selectFrom("source_groups")
    .selectAll()
    .where("host_id", "=", hostId)
    .orderBy("name")
    .execute();
  return groups.length > 0 || (await readHostName(db, hostId)) !== undefined ? groups : undefined;
}

/** Undefined when the host has no such group: another host's does not count. */
export async function readSourceGroup(
  db: Database,
  hostId: HostId,
  id: SourceGroupId,
): Promise<(GroupOfHost & { host_online: number }) | undefined> {
  return db
    .selectFrom("source_groups")
    .innerJoin("hosts", "hosts.id", "source_groups.host_id")
    .selectAll("source_groups")
    .select(["hosts.name as host_name", "hosts.online as host_online"])
    .where("source_groups.id", "=", id)
    .where("source_groups.host_id", "=", hostId)
    .executeTakeFirst();
}

/** The hooks of a host and of its groups, by group; "" is the host's own. */
export async function readHooks(db: Database, hostId: HostId): Promise<Map<SourceGroupId | "", HooksRow>> {
  const rows = await db.selectFrom("hooks").selectAll().where("host_id", "=", hostId).execute();
  return new Map(rows.map((row) => [row.source_group_id, row]));
}

export async function writeHooks(trx: Trx, row: HooksRow): Promise<void> {
  await trx
    .insertInto("hooks")
    .values(row)
    .onConflict((conflict) => conflict.columns(["host_id", "source_group_id"]).doUpdateSet(row))
    .execute();
}

export async function removeHooks(trx: Trx, hostId: HostId, groupId: SourceGroupId | ""): Promise<void> {
  await trx
    .deleteFrom("hooks")
    .where("host_id", "=", hostId)
    .where("source_group_id", "=", groupId)
    .execute();
}

/** The host as this room knows it; nobody else changes it until the commit. */
export async function lockHost(trx: Trx, hostId: HostId) {
  return trx
    .selectFrom("hosts")
    .select(["name", "upload_kib_per_s", "download_kib_per_s"])
    .where("id", "=", hostId)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

/** Caps of every restic call of a host. */
export async function readBandwidth(db: Database, hostId: HostId) {
  return db
    .selectFrom("hosts")
    .select(["upload_kib_per_s", "download_kib_per_s"])
    .where("id", "=", hostId)
    .executeTakeFirst();
}

/** Its agent has to be told of other credentials, caps or hooks. */
export async function bumpConfigVersion(
  trx: Trx,
  hostId: HostId,
  caps: { upload_kib_per_s?: number | null; download_kib_per_s?: number | null } = {},
): Promise<void> {
  await trx
    .updateTable("hosts")
    .set((eb) => ({ ...caps, config_version: eb("config_version", "+", 1) }))
    .where("id", "=", hostId)
    .execute();
}

/** Its agent has to be told of other schedules or source groups. */
export async function bumpScheduleVersion(trx: Trx, hostId: HostId): Promise<void> {
  await trx
    .updateTable("hosts")
    .set((eb) => ({ schedule_version: eb("schedule_version", "+", 1) }))
    .where("id", "=", hostId)
    .execute();
}

/** The names of those hosts that exist. */
export async function readHostNames(
  db: Database,
  hostIds: readonly HostId[],
): Promise<{ id: HostId; name: string }[]> {
  return await db.selectFrom("hosts").select(["id", "name"]).where("id", "in", hostIds).execute();
}

/** All groups of these hosts, by name. */
export async function readGroupsOfHosts(db: Database, hostIds: readonly HostId[]): Promise<SourceGroupRow[]> {
  return await db
    .selectFrom("source_groups")
    .selectAll()
    .where("host_id", "in", hostIds)
    .orderBy("name")
    .execute();
}

async function readHostName(db: Database, hostId: HostId): Promise<string | undefined> {
  const host = await db.selectFrom("hosts").select("name").where("id", "=", hostId).executeTakeFirst();
  return host?.name;
}
