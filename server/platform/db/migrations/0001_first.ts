import { sql, type Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** The tables of the first release; `schema.ts` says what each column means. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number, blob } = columnTypes(db);
  const create = db.schema;
  await create
    .createTable("instance")
    .addColumn("key", "text", (c) => c.primaryKey())
    .addColumn("value", "text", (c) => c.notNull())
    .execute();
  await create
    .createTable("users")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("username", "text", (c) => c.notNull())
    .addColumn("username_key", "text", (c) => c.notNull().unique())
    .addColumn("role", "text", (c) => c.notNull().check(sql`role in ('viewer', 'operator', 'admin')`))
    .addColumn("password_hash", "text", (c) => c.notNull())
    .addColumn("created_at", number, (c) => c.notNull())
    .execute();
  await create
    .createTable("sessions")
    .addColumn("token_hash", "text", (c) => c.primaryKey())
    .addColumn("user_id", "text", (c) => c.notNull().references("users.id").onDelete("cascade"))
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("expires_at", number, (c) => c.notNull())
    .addColumn("last_seen_at", number, (c) => c.notNull())
    .addColumn("address", "text")
    .addColumn("user_agent", "text")
    .execute();
  await create
    .createTable("sign_in_failures")
    .addColumn("key", "text", (c) => c.primaryKey())
    .addColumn("count", number, (c) => c.notNull())
    .addColumn("last_at", number, (c) => c.notNull())
    .execute();
  await create
    .createTable("hosts")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("name_key", "text", (c) => c.notNull().unique())
    .addColumn("bearer_hash", "text", (c) => c.notNull().unique())
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("hostname", "text")
    .addColumn("address", "text")
    .addColumn("os", "text", (c) => c.notNull())
    .addColumn("os_name", "text", (c) => c.notNull())
    .addColumn("arch", "text", (c) => c.notNull())
    .addColumn("machine_id", "text")
    .addColumn("boot_id", "text")
    .addColumn("agent_version", "text")
    .addColumn("protocol_version", number)
    .addColumn("restic_state", "text", (c) => c.check(sql`restic_state in ('ok', 'missing', 'too_old')`))
    .addColumn("restic_version", "text")
    .addColumn("clock_skew_ms", number)
    .addColumn("online", number, (c) => c.notNull().defaultTo(0))
    .addColumn("connected_since", number)
    .addColumn("last_seen_at", number)
    .addColumn("epoch", "text")
    .addColumn("config_version", number, (c) => c.notNull().defaultTo(1))
    .addColumn("config_applied_version", number)
    .addColumn("link_problem", "text")
    .addColumn("status", "text", (c) => c.notNull().defaultTo("new"))
    .addColumn("status_rank", number, (c) => c.notNull().defaultTo(6))
    .addColumn("last_backup_job_id", "text")
    .addColumn("last_backup_state", "text")
    .addColumn("last_backup_at", number)
    .addColumn("last_backup_duration_ms", number)
    .addColumn("last_backup_issues", number, (c) => c.notNull().defaultTo(0))
    .addColumn("last_backup_error", "text")
    .addColumn("last_success_at", number)
    .addColumn("repository_id", "text")
    .addColumn("protected_bytes", number)
    .addColumn("stored_bytes", number)
    .addColumn("snapshot_count", number, (c) => c.notNull().defaultTo(0))
    .addColumn("snapshots_taken_at", number)
    .execute();
  await create.createIndex("hosts_by_status").on("hosts").columns(["status_rank", "name_key"]).execute();
  await create
    .createTable("link_epochs")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("epoch", "text", (c) => c.notNull())
    .addColumn("last_seq", number, (c) => c.notNull())
    .addColumn("started_at", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("link_epochs_key", ["host_id", "epoch"])
    .execute();
  await create
    .createTable("enrollments")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("token_hash", "text", (c) => c.notNull())
    .addColumn("host_name", "text", (c) => c.notNull())
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("includes", "text")
    .addColumn("excludes", "text")
    .addColumn("created_by", "text", (c) => c.notNull())
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("expires_at", number, (c) => c.notNull())
    .addColumn("used_at", number)
    .addColumn("host_id", "text")
    .execute();
  await create
    .createTable("enrollment_steps")
    .addColumn("enrollment_id", "text", (c) => c.notNull().references("enrollments.id").onDelete("cascade"))
    .addColumn("step", "text", (c) => c.notNull())
    .addColumn("at", number, (c) => c.notNull())
    .addColumn("detail", "text")
    .addPrimaryKeyConstraint("enrollment_steps_key", ["enrollment_id", "step"])
    .execute();
  await create
    .createTable("repository_credentials")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("slot", "text", (c) => c.notNull().check(sql`slot in ('repo', 'admin')`))
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("username", "text")
    .addColumn("sealed", "text", (c) => c.notNull())
    .addColumn("has_password", number, (c) => c.notNull())
    .addColumn("updated_at", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("repository_credentials_key", ["host_id", "slot"])
    .execute();
  await create
    .createTable("source_groups")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("includes", "text", (c) => c.notNull())
    .addColumn("excludes", "text", (c) => c.notNull())
    .addColumn("created_at", number, (c) => c.notNull())
    .addUniqueConstraint("source_groups_name", ["host_id", "name"])
    .execute();
  await create
    .createTable("jobs")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("actor_kind", "text", (c) =>
      c.notNull().check(sql`actor_kind in ('user', 'schedule', 'system')`),
    )
    .addColumn("actor_id", "text")
    .addColumn("actor_name", "text", (c) => c.notNull())
    .addColumn("source_group_id", "text")
    .addColumn("source_group_name", "text")
    .addColumn("input", "text", (c) => c.notNull())
    .addColumn("result", "text")
    .addColumn("error", "text")
    .addColumn("issue_count", number, (c) => c.notNull().defaultTo(0))
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("sent_at", number)
    .addColumn("sent_epoch", "text")
    .addColumn("accepted_at", number)
    .addColumn("started_at", number)
    .addColumn("finished_at", number)
    .addColumn("cancel_requested_at", number)
    .addColumn("log_lines", number, (c) => c.notNull().defaultTo(0))
    .addColumn("log_missing", number, (c) => c.notNull().defaultTo(0))
    // The same union as protocol/api/jobs.ts: a finished job has an end, only a success has a result, only a failure an error.
    .addCheckConstraint(
      "jobs_state",
      sql`(state = 'queued' and started_at is null and finished_at is null and result is null and error is null)
       or (state = 'running' and started_at is not null and finished_at is null and result is null and error is null)
       or (state = 'succeeded' and started_at is not null and finished_at is not null and result is not null and error is null)
       or (state = 'failed' and finished_at is not null and result is null and error is not null)
       or (state = 'cancelled' and finished_at is not null and result is null and error is null)`,
    )
    .execute();
  await create.createIndex("jobs_by_host").on("jobs").columns(["host_id", "created_at"]).execute();
  await create.createIndex("jobs_by_time").on("jobs").columns(["created_at"]).execute();
  await sql`create index jobs_active on jobs (host_id, created_at) where state in ('queued', 'running')`.execute(
    db,
  );
  await sql`create index jobs_finished on jobs (finished_at) where finished_at is not null`.execute(db);
  await create
    .createTable("log_chunks")
    .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
    .addColumn("first_line", number, (c) => c.notNull())
    .addColumn("count", number, (c) => c.notNull())
    .addColumn("raw_size", number, (c) => c.notNull())
    .addColumn("data", blob, (c) => c.notNull())
    .addPrimaryKeyConstraint("log_chunks_key", ["job_id", "first_line"])
    .execute();
  await create
    .createTable("log_gaps")
    .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
    .addColumn("first_line", number, (c) => c.notNull())
    .addColumn("count", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("log_gaps_key", ["job_id", "first_line"])
    .execute();
  await create
    .createTable("snapshots")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("time", number, (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("snapshots_key", ["host_id", "id"])
    .execute();
  await create.createIndex("snapshots_by_time").on("snapshots").columns(["host_id", "time", "id"]).execute();
  await create
    .createTable("snapshot_parts")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("taken_at", number, (c) => c.notNull())
    .addColumn("part", number, (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("snapshot_parts_key", ["host_id", "taken_at", "part"])
    .execute();
  await create
    .createTable("repository_stats")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("taken_at", number, (c) => c.notNull())
    .addColumn("total_size", number, (c) => c.notNull())
    .addColumn("total_uncompressed_size", number)
    .addColumn("blob_count", number)
    .addColumn("snapshots_count", number, (c) => c.notNull())
    .addPrimaryKeyConstraint("repository_stats_key", ["host_id", "taken_at"])
    .execute();
  await create
    .createTable("rejected_frames")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("epoch", "text", (c) => c.notNull())
    .addColumn("seq", number, (c) => c.notNull())
    .addColumn("at", number, (c) => c.notNull())
    .addColumn("reason", "text", (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("rejected_frames_key", ["host_id", "epoch", "seq"])
    .execute();
  await create
    .createTable("audit")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("at", number, (c) => c.notNull())
    .addColumn("actor_kind", "text", (c) => c.notNull())
    .addColumn("actor_id", "text")
    .addColumn("actor_name", "text", (c) => c.notNull())
    .addColumn("address", "text")
    .addColumn("action", "text", (c) => c.notNull())
    .addColumn("target_kind", "text")
    .addColumn("target_id", "text")
    .addColumn("target_name", "text")
    .addColumn("detail", "text", (c) => c.notNull())
    .execute();
  await create.createIndex("audit_by_time").on("audit").columns(["at"]).execute();
}
