import { sql, type SqlBool } from "kysely";
import type { JobId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";

/** Every job that runs or waits. */
export async function readActive(db: Database): Promise<[JobId, "queued" | "running"][]> {
  const rows = await db
    .selectFrom("jobs")
    .select(["id", "state"])
    // In the text, not as parameters: only so is the partial index found.
    .where(sql<SqlBool>`state in ('queued', 'running')`)
    .execute();
  return rows.map(({ id, state }) => [id, state === "running" ? "running" : "queued"]);
}

/** Backups that ended in one stretch of time. */
export interface RunCount {
  /** Number of the stretch since 1970. */
  slot: number;
  outcome: "succeeded" | "issues" | "failed";
  count: number;
}

/**
 * Counts backups that ended from `since` on and before `until`, by stretches of `length` milliseconds; read from an index alone.
 * Cancelled ones do not count.
 */
export async function countRuns(
  db: Database,
  since: number,
  until: number | undefined,
  length: number,
): Promise<RunCount[]> {
  const { rows } = await sql<{ slot: number; state: string; with_issues: number; count: number | string }>`
    select floor(finished_at / ${sql.lit(length)}) as slot, state,
           case when issue_count > 0 then 1 else 0 end as with_issues, count(*) as count
    from jobs
    where kind = 'backup' and finished_at is not null and finished_at >= ${since}
      ${until === undefined ? sql`` : sql`and finished_at < ${until}`} and state <> 'cancelled'
    group by 1, 2, 3`.execute(db);
  return rows.map((row) => ({
    slot: Number(row.slot),
    outcome: row.state === "failed" ? "failed" : row.with_issues === 1 ? "issues" : "succeeded",
    count: Number(row.count),
  }));
}

/** How these jobs stand; those that are gone are left out. */
export async function readStates(db: Database, ids: readonly JobId[]) {
  return await askInShapes(ids, (part) =>
    db.selectFrom("jobs").select(["id", "state", "finished_at"]).where("id", "in", part).execute(),
  );
}
