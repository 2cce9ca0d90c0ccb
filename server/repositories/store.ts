import { sql } from "kysely";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobState } from "@restic-manager/protocol/jobs";
import { rowLock } from "../platform/db/dialect.ts";
import { ready } from "../platform/db/ready.ts";
import type { Database, Tables, Trx } from "../platform/db/schema.ts";

export type CredentialRow = Tables["repository_credentials"];
export type StatsRow = Tables["repository_stats"];

/** The everyday slot of a host. */
export async function readCredentials(db: Database, hostId: HostId): Promise<CredentialRow | undefined> {
  return (await selectCredentials(db, { hostId })).rows[0];
}

const selectCredentials = ready((db, { hostId }: { hostId: HostId }) =>
  db
    .selectFrom("repository_credentials")
    .selectAll()
    .where("host_id", "=", hostId)
    .where("slot", "=", "repo"),
);

/** The slot that may delete. */
export async function readAdmin(db: Database, hostId: HostId): Promise<CredentialRow | undefined> {
  return await db
    .selectFrom("repository_credentials")
    .selectAll()
    .where("host_id", "=", hostId)
    .where("slot", "=", "admin")
    .executeTakeFirst();
}

/** False when it was empty. */
export async function removeAdmin(trx: Trx, hostId: HostId): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom("repository_credentials")
    .where("host_id", "=", hostId)
    .where("slot", "=", "admin")
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function writeCredentials(trx: Trx, row: CredentialRow): Promise<void> {
  const { host_id: _host, slot: _slot, ...rest } = row;
  await trx
    .insertInto("repository_credentials")
    .values(row)
    .onConflict((conflict) => conflict.columns(["host_id", "slot"]).doUpdateSet(rest))
    .execute();
}

export async function readHostName(db: Database, hostId: HostId) {
  return db
    .selectFrom("hosts")
    .select(["name", "snapshot_host", "config_version"])
    .where("id", "=", hostId)
    .executeTakeFirst();
}

/** As `readHostName`, and nobody else changes the host until the commit. */
export async function lockHost(trx: Trx, hostId: HostId) {
  return trx
    .selectFrom("hosts")
    .select(["name", "config_version", "repository_id"])
    .where("id", "=", hostId)
    .modifyEnd(rowLock(trx))
    .executeTakeFirst();
}

export async function bumpConfigVersion(trx: Trx, hostId: HostId): Promise<void> {
  await trx
    .updateTable("hosts")
    .set((eb) => ({ config_version: eb("config_version", "+", 1) }))
    .where("id", "=", hostId)
    .execute();
}

export interface InitRow {
  id: JobId;
  state: JobState;
  finished_at: number | null;
  result: string | null;
  error: string | null;
}

/** The newest attempt to open the repository that nobody cancelled. */
export async function readLatestInit(db: Database, hostId: HostId): Promise<InitRow | undefined> {
  return (
    db
      .selectFrom("jobs")
      .select(["id", "state", "finished_at", "result", "error"])
      .where("host_id", "=", hostId)
      // In the text, not as a parameter: only so is the partial index found.
      .where(sql<boolean>`kind = 'init'`)
      .where("state", "!=", "cancelled")
      .orderBy("created_at", "desc")
      .limit(1)
      .executeTakeFirst()
  );
}

/** When a job of the host was ordered; undefined when there is none of that id. */
export async function readOrderedAt(trx: Trx, hostId: HostId, jobId: JobId): Promise<number | undefined> {
  const job = await trx
    .selectFrom("jobs")
    .select("created_at")
    .where("id", "=", jobId)
    .where("host_id", "=", hostId)
    .executeTakeFirst();
  return job?.created_at;
}

/** Those of the hosts that have credentials, and no `init` job but cancelled ones. */
export async function hostsWithoutInit(db: Database, hostIds: readonly HostId[]): Promise<HostId[]> {
  const rows = await db
    .selectFrom("repository_credentials")
    .select("host_id")
    .where("host_id", "in", hostIds)
    .where("slot", "=", "repo")
    .where(
      sql<boolean>`not exists (select 1 from jobs where jobs.host_id = repository_credentials.host_id
        and kind = 'init' and state <> 'cancelled')`,
    )
    .execute();
  return rows.map((row) => row.host_id);
}

export async function readLatestStats(db: Database, hostId: HostId): Promise<StatsRow | undefined> {
  return db
    .selectFrom("repository_stats")
    .selectAll()
    .where("host_id", "=", hostId)
    .orderBy("taken_at", "desc")
    .limit(1)
    .executeTakeFirst();
}

export async function addStats(trx: Trx, row: StatsRow): Promise<void> {
  await trx
    .insertInto("repository_stats")
    .values(row)
    .onConflict((conflict) => conflict.columns(["host_id", "taken_at"]).doNothing())
    .execute();
}

export async function removeStats(trx: Trx, hostId: HostId): Promise<void> {
  await trx.deleteFrom("repository_stats").where("host_id", "=", hostId).execute();
}

export async function writeRepository(
  trx: Trx,
  hostId: HostId,
  facts: {
    repository_id?: string;
    repository_since?: number;
    stored_bytes?: number | null;
    upkeep_trouble?: null;
  },
): Promise<void> {
  await trx.updateTable("hosts").set(facts).where("id", "=", hostId).execute();
}
