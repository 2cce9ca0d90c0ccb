import { sql, type Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** Schedules and what they fire, retention and retries of source groups, hooks, bandwidth, maintenance mode. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  const create = db.schema;
  const host = create.alterTable("hosts");
  await host.addColumn("timezone", "text").execute();
  await host.addColumn("schedule_version", number, (c) => c.notNull().defaultTo(0)).execute();
  await host.addColumn("schedule_applied_version", number).execute();
  await host.addColumn("upload_kib_per_s", number).execute();
  await host.addColumn("download_kib_per_s", number).execute();
  await host.addColumn("paused_at", number).execute();
  await host.addColumn("paused_reason", "text").execute();
  await host.addColumn("paused_by", "text").execute();

  const group = create.alterTable("source_groups");
  await group.addColumn("retention_policy", "text", (c) => c.notNull().defaultTo("{}")).execute();
  await group.addColumn("retry_max", number, (c) => c.notNull().defaultTo(10)).execute();
  await group.addColumn("retry_backoff_seconds", number, (c) => c.notNull().defaultTo(60)).execute();

  await create
    .createTable("hooks")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("source_group_id", "text", (c) => c.notNull())
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("has_pre", number, (c) => c.notNull())
    .addColumn("has_post", number, (c) => c.notNull())
    .addColumn("timeout_seconds", number, (c) => c.notNull())
    .addColumn("updated_at", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("hooks_key", ["host_id", "source_group_id"])
    .execute();

  await create
    .createTable("schedules")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("cron", "text", (c) => c.notNull())
    .addColumn("timezone", "text")
    .addColumn("enabled", number, (c) => c.notNull())
    .addColumn("spread_seconds", number, (c) => c.notNull())
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("counts_from", number, (c) => c.notNull())
    .execute();
  await create.createIndex("schedules_by_host").on("schedules").columns(["host_id", "created_at"]).execute();
  await create
    .createTable("schedule_groups")
    .addColumn("schedule_id", "text", (c) => c.notNull().references("schedules.id").onDelete("cascade"))
    .addColumn("source_group_id", "text", (c) =>
      c.notNull().references("source_groups.id").onDelete("cascade"),
    )
    .addColumn("position", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("schedule_groups_key", ["schedule_id", "source_group_id"])
    .execute();
  await create
    .createIndex("schedule_groups_by_group")
    .on("schedule_groups")
    .columns(["source_group_id"])
    .execute();
  // No reference to the schedule: what fired before it was deleted is still reported after.
  await create
    .createTable("schedule_fires")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("schedule_id", "text", (c) => c.notNull())
    .addColumn("scheduled_at", number, (c) => c.notNull())
    .addColumn("fired_at", number, (c) => c.notNull())
    .addColumn("missed_count", number, (c) => c.notNull())
    .addColumn("missed", "text", (c) => c.notNull())
    .addColumn("job_ids", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("schedule_fires_key", ["host_id", "schedule_id", "scheduled_at"])
    .execute();
  await create.createIndex("schedule_fires_by_time").on("schedule_fires").columns(["fired_at"]).execute();

  const job = create.alterTable("jobs");
  await job.addColumn("schedule_id", "text").execute();
  await job.addColumn("scheduled_at", number).execute();
  await job.addColumn("attempt", number, (c) => c.notNull().defaultTo(0)).execute();
  await job.addColumn("missed_count", number, (c) => c.notNull().defaultTo(0)).execute();
  await sql`create index jobs_by_schedule on jobs (schedule_id, created_at) where schedule_id is not null`.execute(
    db,
  );
}
