import { sql, type Kysely } from "kysely";

/**
 * What runs or waits at the hosts of a page. The index holds all that is asked for, or SQLite prefers the one of all jobs, which holds
 * it too and grows with every day: after 16 months a page of 100 hosts took 5 ms instead of 3.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index jobs_active`.execute(db);
  await sql`create index jobs_active on jobs (host_id, created_at, id, state, kind)
    where state in ('queued', 'running')`.execute(db);
}
