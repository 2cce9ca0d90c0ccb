import { sql, type RawBuilder } from "kysely";
import { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobState } from "@restic-manager/protocol/jobs";
import { derivedColumns } from "@restic-manager/server/hosts/refresh";
import type { OpenStore } from "@restic-manager/server/platform/db/open";
import type { HostRecord, Tables } from "@restic-manager/server/platform/db/schema";
import type { HostHistory, JobMark } from "@restic-manager/server/hosts/facts";
import { madeLog, type MadeChunk } from "./stored-log.ts";

/** How much a store holds. */
export interface FleetSize {
  hosts: number;
  /** As many times `hosts` as each host has jobs; the first of each is its `init`. */
  jobs: number;
  /** Lines of log, 300 a job, of the jobs that ended last. */
  lines: number;
}

const DAY_MS = 24 * 3600_000;
const GIB = 2 ** 30;
export const LINES_A_JOB = 300;
/** Different logs; more would only make the seeding slower. */
const LOGS = 16;
const PLACES = ["ams", "fra", "ham", "ber", "osl", "cph"] as const;
const KINDS = ["db", "web", "nas", "pos", "kiosk", "erp"] as const;
const SYSTEMS = ["Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04 LTS", "Windows Server 2022"] as const;
/** So many of the last jobs wait or run. */
const activeOf = (size: FleetSize) => Math.min(200, Math.floor(size.hosts / 5));
const ERROR = {
  code: "repository_unreachable",
  message: "The repository cannot be reached: dial tcp: i/o timeout",
};
const EPOCH = "0123456789abcdef0123456789abcdef";

/** The id that stands for a number, of jobs and hosts alike: ids rise with time. */
const idOf = (n: number) => String(n).padStart(26, "0");
export const storedHostId = (n: number) => HostId.parse(idOf(n));
export const storedJobId = (n: number) => JobId.parse(idOf(n));

/**
 * Fills an empty store with a fleet that has backed up daily, the newest job just ended. The same one every time. By
 * statements that make many rows at once: a million jobs in a few seconds.
 *
 * @param now milliseconds since 1970.
 */
export async function storeFleet(store: OpenStore, size: FleetSize, now: number): Promise<void> {
  const { db, kind } = store;
  if (kind === "sqlite") await sql`pragma synchronous = off`.execute(db);
  const step = jobStep(size);
  const logs = Array.from({ length: LOGS }, (_, variant) => madeLog(LINES_A_JOB, variant, now - DAY_MS));
  const sizes = logs.map((chunks) => chunks.reduce((sum, chunk) => sum + chunk.data.length, 0));
  await db.transaction().execute(async (trx) => {
    const rows = Array.from({ length: size.hosts }, (_, n) => hostRow(n, size, now, sizes));
    for (let from = 0; from < rows.length; from += 250)
      await trx
        .insertInto("hosts")
        .values(rows.slice(from, from + 250))
        .execute();
  });
  const id = (number: RawBuilder<unknown>) =>
    kind === "sqlite" ? sql`printf('%026d', ${number})` : sql`lpad((${number})::text, 26, '0')`;
  const text = (value: string) => sql.lit(value);
  const i = sql.ref("i");
  const H = sql.lit(size.hosts);
  const created = sql`${sql.lit(now)} - (${sql.lit(size.jobs)} - cast(i as bigint)) * ${sql.lit(step)}`;
  const isActive = sql`i >= ${sql.lit(size.jobs - activeOf(size))}`;
  const state = sql`case when ${isActive} then case when i % 2 = 0 then 'queued' else 'running' end
    when i < ${H} then 'succeeded' when i % 53 = 0 then 'failed' when i % 97 = 0 then 'cancelled' else 'succeeded' end`;
  const firstLogged = sql.lit(size.jobs - loggedOf(size));
  const byVariant = sql.join(
    sizes.map((bytes, variant) => sql`when ${sql.lit(variant)} then ${sql.lit(bytes)}`),
    sql` `,
  );
  const ifLogged = (value: RawBuilder<unknown>) =>
    sql`case when state in ('queued', 'running') or i < ${firstLogged} then 0 else ${value} end`;
  const group = sql`'{"source_group_id":"' || ${id(sql`i % ${H}`)} || '","source_group_name":"default","includes":["/etc","/home","/root","/srv","/var/lib"],"excludes":["/var/lib/docker","*.tmp"]}'`;
  const result = sql`'{"snapshot_id":"' || ${id(i)} || ${id(i)} || 'abcdefabcdef","files_new":' || (i % 400) || ${text(
    ',"files_changed":81,"files_unmodified":203411,"dirs_new":2,"dirs_changed":60,"dirs_unmodified":24000,"data_added":640679936,"data_added_packed":301679936,"total_files_processed":203500,"total_bytes_processed":91640679936,"duration_seconds":421.5,"issue_count":',
  )} || case when i % 31 = 0 then 2 else 0 end || ',"issues":[]}'`;
  const opened = sql`'{"repository_id":"' || ${id(i)} || ${id(i)} || 'abcdefabcdef","created":true}'`;
  await sql`
    insert into jobs (id, host_id, kind, state, actor_kind, actor_name, source_group_id, source_group_name, input, result, error,
      issue_count, created_at, sent_at, sent_epoch, accepted_at, started_at, finished_at, log_lines, log_bytes)
    with recursive numbers(i) as (select 0 union all select i + 1 from numbers where i < ${sql.lit(size.jobs - 1)}),
    made as (select i, ${state} as state, ${created} as created from numbers)
    select ${id(i)}, ${id(sql`i % ${H}`)}, case when i < ${H} then 'init' else 'backup' end, state, 'schedule', 'nightly',
      case when i < ${H} then null else ${id(sql`i % ${H}`)} end, case when i < ${H} then null else 'default' end,
      case when i < ${H} then '{}' else ${group} end,
      case when state <> 'succeeded' then null when i < ${H} then ${opened} else ${result} end,
      case when state = 'failed' then ${text(JSON.stringify(ERROR))} end,
      case when state = 'succeeded' and i >= ${H} and i % 31 = 0 then 2 else 0 end,
      created, created, ${text(EPOCH)}, case when state = 'queued' then null else created + 40 end,
      case when state in ('queued', 'cancelled') then null else created + 60 end,
      case when state in ('queued', 'running') then null else created + 421500 - i % 7000 end,
      ${ifLogged(sql.lit(LINES_A_JOB))}, ${ifLogged(sql`case (i - ${firstLogged}) % ${sql.lit(LOGS)} ${byVariant} end`)}
    from made`.execute(db);
  await storeLogs(store, size, logs, id(i));
  await storeSnapshots(store, now, size);
  // What a running PostgreSQL does by itself, minutes after so many rows came.
  if (kind === "postgres") await sql`vacuum analyze`.execute(db);
}

/** Jobs whose log is still stored. */
const loggedOf = (size: FleetSize) => Math.min(size.jobs, Math.floor(size.lines / LINES_A_JOB));
/** Between two jobs of the whole fleet, so that each host has one a day. */
const jobStep = (size: FleetSize) => Math.floor(DAY_MS / size.hosts);

async function storeLogs(
  { db }: OpenStore,
  size: FleetSize,
  logs: readonly MadeChunk[][],
  id: RawBuilder<unknown>,
): Promise<void> {
  const first = size.jobs - loggedOf(size);
  for (const [variant, chunks] of logs.entries())
    for (const chunk of chunks)
      await sql`
        insert into log_chunks (job_id, first_line, count, raw_size, data)
        with recursive numbers(i) as
          (select ${sql.lit(first + variant)} union all select i + ${sql.lit(LOGS)} from numbers
           where i < ${sql.lit(size.jobs - LOGS)})
        select ${id}, ${sql.lit(chunk.first_line)}, ${sql.lit(chunk.count)}, ${sql.lit(chunk.raw_size)}, ${chunk.data}
        from numbers where i < ${sql.lit(size.jobs)}`.execute(db);
}

/** Lists of sixty snapshots, of the first hosts only: a list is found by its host however many others there are. */
async function storeSnapshots({ db }: OpenStore, now: number, size: FleetSize): Promise<void> {
  for (let host = 0; host < Math.min(50, size.hosts); host++) {
    const rows: Tables["snapshots"][] = [];
    for (let n = 0; n < 60; n++) {
      const id = (host * 1_000 + n).toString(16).padStart(64, "0");
      const time = now - n * DAY_MS;
      const body = {
        id,
        short_id: id.slice(0, 8),
        time: new Date(time).toISOString(),
        hostname: `host-${host}`,
        username: "root",
        paths: ["/etc", "/home", "/srv"],
        tags: ["default"],
        tree: id,
        paths_total: 3,
        program_version: "restic 0.18.0",
        summary: {
          files_new: n,
          files_changed: 81,
          files_unmodified: 203_411,
          data_added: 640_679_936,
          data_added_packed: 301_679_936,
          total_files_processed: 203_500,
          total_bytes_processed: 91_640_679_936,
          duration_seconds: 421.5,
        },
      };
      rows.push({ host_id: storedHostId(host), id, time, body: JSON.stringify(body) });
    }
    await db.insertInto("snapshots").values(rows).execute();
  }
}

function hostRow(n: number, size: FleetSize, now: number, sizes: readonly number[]): HostRecord {
  const name = `${KINDS[n % 6]}-${PLACES[Math.floor(n / 6) % 6]}-${String(n + 21)}`;
  const os_name = SYSTEMS[n % SYSTEMS.length] ?? SYSTEMS[0];
  const offline = n % 41 === 3;
  const host: HostRecord = {
    id: storedHostId(n),
    name,
    name_key: name,
    snapshot_host: name,
    bearer_hash: idOf(n),
    created_at: now - 200 * DAY_MS,
    hostname: name,
    address: "192.0.2.7",
    os: os_name.startsWith("Windows") ? "windows" : "linux",
    os_name,
    arch: "x64",
    machine_id: idOf(n),
    boot_id: idOf(n),
    agent_version: "0.1.0",
    protocol_version: 1,
    restic_state: n % 41 === 5 ? "too_old" : "ok",
    restic_version: n % 41 === 5 ? "0.14.0" : "0.18.0",
    clock_skew_ms: 12,
    online: offline ? 0 : 1,
    connected_since: offline ? null : now - DAY_MS,
    last_seen_at: offline ? now - 26 * 3600_000 : now,
    epoch: null,
    config_version: 1,
    config_applied_version: 1,
    link_problem: null,
    status: "new",
    status_rank: 6,
    cause_code: null,
    cause_message: null,
    cause_since: null,
    last_backup_job_id: null,
    last_backup_state: null,
    last_backup_at: null,
    last_backup_duration_ms: null,
    last_backup_issues: 0,
    last_backup_error: null,
    last_success_at: null,
    repository_id: idOf(n).repeat(2).padEnd(64, "a"),
    repository_since: null,
    protected_bytes: ((n * 7_919) % 900) * GIB + 3 * GIB,
    stored_bytes: ((n * 7_919) % 400) * GIB + GIB,
    snapshot_count: 20 + (n % 70),
    snapshots_taken_at: now - 3600_000,
    log_bytes: logBytesOf(n, size, sizes),
    upkeep_trouble: null,
    link_node: null,
    link_connection: null,
    timezone: null,
    schedule_version: 0,
    schedule_applied_version: 0,
    upload_kib_per_s: null,
    download_kib_per_s: null,
    paused_at: null,
    paused_reason: null,
    paused_by: null,
  };
  // Nobody is connected, and the server would say so of each after a minute and a half, in the middle of what is measured.
  return { ...host, ...derivedColumns(host, historyOf(n, size, now)), online: 0 };
}

function logBytesOf(n: number, size: FleetSize, sizes: readonly number[]): number {
  const first = size.jobs - loggedOf(size);
  let sum = 0;
  for (let i = n; i < size.jobs - activeOf(size); i += size.hosts)
    if (i >= first) sum += sizes[(i - first) % LOGS] ?? 0;
  return sum;
}

/** The same as the statement above makes, for the last jobs of one host. */
function historyOf(n: number, size: FleetSize, now: number): HostHistory {
  const history: HostHistory = {
    running: null,
    queued: null,
    lastBackup: null,
    lastJudgedBackup: null,
    lastGoodBackup: null,
    lastInit: null,
  };
  for (let i = n; i < size.jobs; i += size.hosts) {
    const mark = jobMark(i, size, now);
    if (mark.state === "running") history.running = mark;
    else if (mark.state === "queued") history.queued = mark;
    else if (mark.kind === "init") history.lastInit = mark;
    else {
      history.lastBackup = mark;
      if (mark.state !== "cancelled") history.lastJudgedBackup = mark;
      if (mark.state === "succeeded") history.lastGoodBackup = mark;
    }
  }
  return history;
}

function jobMark(i: number, size: FleetSize, now: number): JobMark {
  const created = now - (size.jobs - i) * jobStep(size);
  const active = i >= size.jobs - activeOf(size);
  const state: JobState = active
    ? i % 2 === 0
      ? "queued"
      : "running"
    : i < size.hosts
      ? "succeeded"
      : i % 53 === 0
        ? "failed"
        : i % 97 === 0
          ? "cancelled"
          : "succeeded";
  return {
    id: storedJobId(i),
    kind: i < size.hosts ? "init" : "backup",
    state,
    started_at: state === "queued" || state === "cancelled" ? null : created + 60,
    finished_at: active ? null : created + 421_500 - (i % 7_000),
    issue_count: state === "succeeded" && i >= size.hosts && i % 31 === 0 ? 2 : 0,
    error: state === "failed" ? JSON.stringify(ERROR) : null,
  };
}
