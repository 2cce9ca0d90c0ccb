import { sql, type Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** Rows of `jobs` and `hosts` are filled. */
export const changesData = true;

/**
 * An index for every order and filter that a page offers, so that a page of a million jobs costs what one of ten thousand
 * does; and what the retention of logs goes by. Measured in docs/decisions/pages-of-a-large-fleet.md.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  const run = (statement: string) => sql.raw(statement).execute(db);

  await db.schema
    .alterTable("jobs")
    .addColumn("log_bytes", number, (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.alterTable("jobs").addColumn("log_removed_at", number).execute();
  await db.schema
    .alterTable("jobs")
    .addColumn("log_removed_for", "text", (c) => c.check(sql`log_removed_for in ('age', 'room')`))
    .execute();
  await db.schema
    .alterTable("hosts")
    .addColumn("log_bytes", number, (c) => c.notNull().defaultTo(0))
    .execute();
  await run(`update jobs set log_bytes =
    coalesce((select sum(length(data)) from log_chunks where job_id = jobs.id), 0) where log_lines > 0 and finished_at is not null`);
  await run(
    `update hosts set log_bytes = coalesce((select sum(log_bytes) from jobs where host_id = hosts.id), 0)`,
  );

  // Lists of jobs, newest first: all, one host's, and the rare ones among them. The id is part of the order.
  await run(`drop index jobs_by_time`);
  await run(`create index jobs_by_time on jobs (created_at, id)`);
  await run(`drop index jobs_by_host`);
  await run(`create index jobs_by_host on jobs (host_id, created_at, id, state, kind)`);
  await run(`create index jobs_failed on jobs (created_at, id, kind) where state = 'failed'`);
  await run(`create index jobs_cancelled on jobs (created_at, id, kind) where state = 'cancelled'`);
  await run(
    `create index jobs_with_issues on jobs (created_at, id, kind) where state = 'succeeded' and issue_count > 0`,
  );
  await run(
    `create index jobs_active_by_time on jobs (created_at, id, state) where state in ('queued', 'running')`,
  );
  await run(`create index jobs_of_other_kinds on jobs (kind, created_at, id, state) where kind <> 'backup'`);

  // How the last of each sort ended, and with it which jobs a host's page rests on.
  await run(`drop index jobs_backups_good`);
  await run(
    `create index jobs_ends on jobs (host_id, kind, state, finished_at) where finished_at is not null`,
  );
  // What retention looks for, oldest first: a job leaves the last two once its log is gone.
  await run(`drop index jobs_finished`);
  await run(`create index jobs_finished on jobs (finished_at, id) where finished_at is not null`);
  await run(
    `create index jobs_logs on jobs (finished_at, id) where log_bytes > 0 and finished_at is not null`,
  );
  await run(
    `create index jobs_logs_of_host on jobs (host_id, finished_at, id) where log_bytes > 0 and finished_at is not null`,
  );

  await run(`create index hosts_by_log_bytes on hosts (log_bytes)`);

  // Each order of the fleet's table.
  await run(`create index hosts_by_os on hosts (os_name, name_key)`);
  await run(`create index hosts_by_last_backup on hosts (coalesce(last_backup_at, -1), name_key)`);
  await run(`create index hosts_by_protected on hosts (coalesce(protected_bytes, -1), name_key)`);
  await run(`create index hosts_by_snapshots on hosts (snapshot_count, name_key)`);

  // The summary's figures, each read from an index alone: a host's row is long, and the figures are few.
  await run(`drop index hosts_by_success`);
  await run(`create index hosts_by_success on hosts (last_success_at, status_rank, online, protected_bytes)`);
  await run(`create index hosts_by_repository on hosts (repository_id, stored_bytes)`);
  await run(`drop index hosts_by_cause`);
  await run(
    `create index hosts_by_cause on hosts (status_rank, cause_code, name_key) where cause_code is not null`,
  );
}
