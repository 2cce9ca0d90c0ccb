import { sql, type Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/**
 * What the fleet page asks for, kept or indexed so that it is read and not computed. Partial indexes are used only by
 * queries that repeat the condition in plain text, not as a parameter.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  await db.schema.alterTable("hosts").addColumn("cause_code", "text").execute();
  await db.schema.alterTable("hosts").addColumn("cause_message", "text").execute();
  await db.schema.alterTable("hosts").addColumn("cause_since", number).execute();

  // One row of an index each for "how did the last one end", whatever the length of a host's history.
  await sql`create index jobs_inits on jobs (host_id, created_at) where kind = 'init'`.execute(db);
  await sql`create index jobs_backups_ended on jobs (host_id, finished_at)
    where kind = 'backup' and finished_at is not null`.execute(db);
  await sql`create index jobs_backups_good on jobs (host_id, finished_at)
    where kind = 'backup' and state = 'succeeded'`.execute(db);
  // The run band: everything it counts is in the index.
  await sql`create index jobs_backups_by_end on jobs (finished_at, state, issue_count)
    where kind = 'backup' and finished_at is not null`.execute(db);

  await db.schema.createIndex("hosts_by_success").on("hosts").columns(["last_success_at"]).execute();
  await db.schema
    .createIndex("hosts_by_cause")
    .on("hosts")
    .columns(["status_rank", "cause_code", "name_key"])
    .execute();
  await db.schema.createIndex("enrollments_by_host").on("enrollments").columns(["host_id"]).execute();
}
