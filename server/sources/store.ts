import type { HostId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type SourceGroupRow = Tables["source_groups"];

/** A group with the name of its host. */
export type GroupOfHost = SourceGroupRow & { host_name: string };

export async function insertSourceGroup(trx: Trx, row: SourceGroupRow): Promise<void> {
  await trx.insertInto("source_groups").values(row).execute();
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
): Promise<GroupOfHost | undefined> {
  return db
    .selectFrom("source_groups")
    .innerJoin("hosts", "hosts.id", "source_groups.host_id")
    .selectAll("source_groups")
    .select("hosts.name as host_name")
    .where("source_groups.id", "=", id)
    .where("source_groups.host_id", "=", hostId)
    .executeTakeFirst();
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
