import { sql, type Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** When repositories are looked after, and whose turn it is on a shared one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  await db.schema
    .createTable("repo_maintenance")
    .addColumn("host_id", "text", (c) => c.primaryKey().references("hosts.id").onDelete("cascade"))
    .addColumn("forget_cron", "text", (c) => c.notNull())
    .addColumn("forget_enabled", number, (c) => c.notNull())
    .addColumn("prune_cron", "text", (c) => c.notNull())
    .addColumn("prune_enabled", number, (c) => c.notNull())
    .addColumn("check_cron", "text", (c) => c.notNull())
    .addColumn("check_enabled", number, (c) => c.notNull())
    .addColumn("check_read_data_percent", number, (c) => c.notNull())
    .addColumn("counts_from", number, (c) => c.notNull())
    .addColumn("next_look_at", number, (c) => c.notNull())
    .addColumn("updated_at", number)
    .execute();
  await db.schema
    .createIndex("repo_maintenance_by_look")
    .on("repo_maintenance")
    .columns(["next_look_at", "host_id"])
    .execute();
  // No reference to the job: retention may delete it while nobody else has asked for the turn.
  await db.schema
    .createTable("repository_turns")
    .addColumn("repository", "text", (c) => c.primaryKey())
    .addColumn("job_id", "text", (c) => c.notNull())
    .addColumn("taken_at", number, (c) => c.notNull())
    .execute();
  await db.schema.createIndex("repository_turns_by_job").on("repository_turns").columns(["job_id"]).execute();
  await db.schema.alterTable("hosts").addColumn("upkeep_trouble", "text").execute();
  await sql`create index jobs_maintenance on jobs (host_id, kind, created_at)
    where kind in ('forget', 'prune', 'check', 'unlock')`.execute(db);
}
