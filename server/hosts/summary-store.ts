import { sql, type SqlBool } from "kysely";
import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";

export interface FleetTotals {
  hosts: number;
  online: number;
  backedUp: number;
  protectedBytes: number;
  storedBytes: number;
}

export async function readTotals(db: Database, successSince: number): Promise<FleetTotals> {
  const fleet = await db
    .selectFrom("hosts")
    .select((eb) => [
      eb.fn.countAll().as("hosts"),
      eb.fn.sum("online").as("online"),
      eb.fn.sum("protected_bytes").as("protected_bytes"),
      sql`sum(case when last_success_at >= ${successSince} then 1 else 0 end)`.as("backed_up"),
    ])
    .executeTakeFirstOrThrow();
  // Hosts that share a repository each report its whole size: it counts once.
  const { rows } = await sql<{ stored: number | string | null }>`
    select sum(bytes) as stored from
      (select max(stored_bytes) as bytes from hosts where repository_id is not null group by repository_id
       union all select stored_bytes from hosts where repository_id is null) as repositories`.execute(db);
  return {
    hosts: Number(fleet.hosts),
    online: Number(fleet.online ?? 0),
    backedUp: Number(fleet.backed_up ?? 0),
    protectedBytes: Number(fleet.protected_bytes ?? 0),
    storedBytes: Number(rows[0]?.stored ?? 0),
  };
}

export async function countActiveJobs(db: Database): Promise<{ running: number; queued: number }> {
  const rows = await db
    .selectFrom("jobs")
    .select(["state", (eb) => eb.fn.countAll().as("count")])
    // In the text, not as parameters: only so is the partial index found.
    .where(sql<SqlBool>`state in ('queued', 'running')`)
    .groupBy("state")
    .execute();
  const count = (state: string) => Number(rows.find((row) => row.state === state)?.count ?? 0);
  return { running: count("running"), queued: count("queued") };
}

/** Backups that ended in one stretch of time. */
export interface RunCount {
  /** Number of the stretch since 1970. */
  slot: number;
  outcome: "succeeded" | "issues" | "failed";
  count: number;
}

/** Counts ended backups by stretches of `length` milliseconds; read from an index alone. Cancelled ones do not count. */
export async function countRuns(db: Database, since: number, length: number): Promise<RunCount[]> {
  const { rows } = await sql<{ slot: number; state: string; with_issues: number; count: number | string }>`
    select floor(finished_at / ${sql.lit(length)}) as slot, state,
           case when issue_count > 0 then 1 else 0 end as with_issues, count(*) as count
    from jobs
    where kind = 'backup' and finished_at is not null and finished_at >= ${since} and state <> 'cancelled'
    group by 1, 2, 3`.execute(db);
  return rows.map((row) => ({
    slot: Number(row.slot),
    outcome: row.state === "failed" ? "failed" : row.with_issues === 1 ? "issues" : "succeeded",
    count: Number(row.count),
  }));
}

/** Hosts that stand badly for one cause. */
export interface CauseGroup {
  status: HostStatus;
  code: string;
  /** What all of them say, or null when they say different things. */
  message: string | null;
  since: number | null;
  count: number;
}

/** The causes, most urgent first, and the more hosts the sooner. */
export async function readCauses(db: Database, limit: number): Promise<CauseGroup[]> {
  const rows = await db
    .selectFrom("hosts")
    .select((eb) => [
      "status",
      "cause_code",
      eb.fn.countAll().as("count"),
      eb.fn.min("cause_since").as("since"),
      eb.fn.min("cause_message").as("first"),
      eb.fn.max("cause_message").as("last"),
    ])
    .where("cause_code", "is not", null)
    .groupBy(["status_rank", "status", "cause_code"])
    .orderBy("status_rank")
    .orderBy("count", "desc")
    .orderBy("cause_code")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    status: row.status,
    code: row.cause_code ?? "failed",
    message: row.first === row.last ? row.first : null,
    since: row.since,
    count: Number(row.count),
  }));
}

/** The first hosts, by name, that have a cause. */
export async function readHostsOfCause(
  db: Database,
  { status, code }: Pick<CauseGroup, "status" | "code">,
  limit: number,
): Promise<{ id: HostId; name: string }[]> {
  return db
    .selectFrom("hosts")
    .select(["id", "name"])
    .where("status", "=", status)
    .where("cause_code", "=", code)
    .orderBy("name_key")
    .limit(limit)
    .execute();
}
