import type { HostId, ResticId } from "@restic-manager/protocol/ids";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import type { Database } from "../platform/db/schema.ts";

export async function readHostName(db: Database, hostId: HostId): Promise<string | undefined> {
  const row = await db.selectFrom("hosts").select("name").where("id", "=", hostId).executeTakeFirst();
  return row?.name;
}

/** A snapshot of this host, as its agent reported it. */
export async function readSnapshot(
  db: Database,
  hostId: HostId,
  id: ResticId,
): Promise<Snapshot | undefined> {
  const row = await db
    .selectFrom("snapshots")
    .select("body")
    .where("host_id", "=", hostId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : Snapshot.parse(JSON.parse(row.body));
}
