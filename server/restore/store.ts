import type { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import { sql, type SqlBool } from "kysely";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";

export async function hostById(
  db: Database | Trx,
  hostId: HostId,
): Promise<{ name: string; online: number } | undefined> {
  return await db.selectFrom("hosts").select(["name", "online"]).where("id", "=", hostId).executeTakeFirst();
}

/** Whether the host's agent has listed that snapshot. */
export async function hasSnapshot(db: Database | Trx, hostId: HostId, id: ResticId): Promise<boolean> {
  const row = await db
    .selectFrom("snapshots")
    .select("id")
    .where("host_id", "=", hostId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row !== undefined;
}

/** A host's restores, newest first. Each host has few, and `jobs_of_other_kinds` holds them. */
export async function restoresOf(
  db: Database,
  hostId: HostId,
  limit: number,
): Promise<Pick<JobRecord, "id" | "input">[]> {
  return await db
    .selectFrom("jobs")
    .select(["id", "input"])
    .where(sql<SqlBool>`kind = 'restore' and kind <> 'backup'`)
    .where("host_id", "=", hostId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

export async function restoreById(
  db: Database,
  hostId: HostId,
  id: JobId,
): Promise<Pick<JobRecord, "id" | "input"> | undefined> {
  return await db
    .selectFrom("jobs")
    .select(["id", "input"])
    .where("id", "=", id)
    .where("host_id", "=", hostId)
    .where("kind", "=", "restore")
    .executeTakeFirst();
}
