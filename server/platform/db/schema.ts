import type { Generated, Insertable, Kysely, Selectable, Transaction, Updateable } from "kysely";
import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import type { Role } from "@restic-manager/protocol/api/session";
import type {
  EnrollmentId,
  Epoch,
  HostId,
  JobId,
  ScheduleId,
  SourceGroupId,
  TemplateId,
  UserId,
} from "@restic-manager/protocol/ids";
import type { DiffKind } from "@restic-manager/protocol/jobs/diff";
import type { ActorKind, JobKind, JobState } from "@restic-manager/protocol/jobs";

/**
 * The tables. Instants are milliseconds since 1970, sizes are bytes, flags are 0 or 1, JSON is text: the same on both
 * databases. Migrations in `migrations/` make them so.
 */
export interface Tables {
  /** Facts about this installation: `instance_name`, `base_url`, `seal_check`, … */
  instance: { key: string; value: string };
  users: {
    id: UserId;
    username: string;
    /** Lower case; what uniqueness and sign-in look at. */
    username_key: string;
    role: Role;
    password_hash: string;
    created_at: number;
  };
  sessions: {
    /** SHA-256 of the cookie's token, hex. */
    token_hash: string;
    user_id: UserId;
    created_at: number;
    expires_at: number;
    last_seen_at: number;
    address: string | null;
    user_agent: string | null;
  };
  /** Failed sign-ins by `account:NAME` or `address:IP`; a success removes the account's row. */
  sign_in_failures: { key: string; count: number; last_at: number };
  hosts: HostTable;
  /** What comparisons of snapshots found, in restic's order. */
  diff_changes: {
    job_id: JobId;
    n: number;
    path: string;
    kind: DiffKind;
    is_folder: number;
    suspicious: number;
    size_before: number | null;
    size_after: number | null;
  };
  /** How far the server has committed each life of each agent's outbox. */
  link_epochs: {
    host_id: HostId;
    epoch: Epoch;
    last_seq: number;
    started_at: number;
    /** The connection whose frames count, as `holder` writes it: `<node>.<number>`. Null until a hello. */
    held_by: string | null;
  };
  /** Servers on this database; empty on SQLite. `expires_at` is by the database's clock. */
  nodes: { id: string; name: string; started_at: number; expires_at: number };
  /** Work that one server does for all. */
  leases: { name: string; node_id: string; expires_at: number };
  enrollments: {
    id: EnrollmentId;
    /** SHA-256 of the token's secret half, hex. */
    token_hash: string;
    host_name: string;
    /** Sealed JSON: repository credentials. */
    sealed: string;
    includes: string | null;
    excludes: string | null;
    created_by: UserId;
    created_at: number;
    expires_at: number;
    used_at: number | null;
    host_id: HostId | null;
  };
  enrollment_steps: { enrollment_id: EnrollmentId; step: string; at: number; detail: string | null };
  repository_credentials: {
    host_id: HostId;
    slot: "repo" | "admin";
    url: string;
    username: string | null;
    /** Sealed JSON: `{password?, repository_password}`. */
    sealed: string;
    has_password: number;
    updated_at: number;
  };
  source_groups: {
    id: SourceGroupId;
    host_id: HostId;
    name: string;
    includes: string;
    excludes: string;
    created_at: number;
    /** JSON of protocol `RetentionPolicy`. */
    retention_policy: Generated<string>;
    retry_max: Generated<number>;
    retry_backoff_seconds: Generated<number>;
    /** Rises with each change, so that an editor notices another. */
    version: Generated<number>;
    changed_at: Generated<number | null>;
    changed_by: Generated<string | null>;
  };
  hooks: {
    host_id: HostId;
    /** Empty for the host's own. */
    source_group_id: SourceGroupId | "";
    /** Sealed JSON: `{pre?, post?}`. */
    sealed: string;
    has_pre: number;
    has_post: number;
    timeout_seconds: number;
    updated_at: number;
  };
  schedules: {
    id: ScheduleId;
    host_id: HostId;
    cron: string;
    /** Null: the machine's own zone. */
    timezone: string | null;
    enabled: number;
    spread_seconds: number;
    created_at: number;
    /** Fires before this instant are not expected: it was made, changed or turned on then. */
    counts_from: number;
    /** As of a source group. */
    version: Generated<number>;
    changed_at: Generated<number | null>;
    changed_by: Generated<string | null>;
  };
  schedule_groups: { schedule_id: ScheduleId; source_group_id: SourceGroupId; position: number };
  /** What agents fired by themselves. */
  schedule_fires: {
    host_id: HostId;
    schedule_id: ScheduleId;
    scheduled_at: number;
    fired_at: number;
    missed_count: number;
    /** JSON: instants, the newest ones. */
    missed: string;
    /** JSON: ids of the jobs of its last attempt. */
    job_ids: string;
  };
  /** When a host's repository is looked after; a host without a row has the defaults of `maintenance/settings.ts` and gets one soon. */
  repo_maintenance: {
    host_id: HostId;
    forget_cron: string;
    forget_enabled: number;
    prune_cron: string;
    prune_enabled: number;
    check_cron: string;
    check_enabled: number;
    check_read_data_percent: number;
    /** Runs before this instant are not expected: it was changed then. */
    counts_from: number;
    /** Before this instant nothing of it is due, so far as was known when it was written. */
    next_look_at: number;
    /** Null while nobody has changed it. */
    updated_at: number | null;
  };
  /** Which job has a repository for itself: the repository's id, or its host's where that is not known. */
  repository_turns: { repository: string; job_id: JobId; taken_at: number };
  host_tags: { host_id: HostId; tag: string };
  policy_templates: {
    id: TemplateId;
    name: string;
    /** The name as it is compared. */
    name_key: string;
    /** JSON of protocol `TemplateContent`. */
    content: string;
    version: number;
    created_at: number;
    changed_at: number;
    changed_by: string;
  };
  /** Which template a host follows, and what of it came from there. */
  template_hosts: {
    host_id: HostId;
    template_id: TemplateId;
    /** Of the template, when it was applied. */
    version: number;
    others: "keep" | "remove";
    /** JSON: name in the template to id on the host. */
    groups: string;
    schedules: string;
    applied_at: number;
    applied_by: string;
  };
  jobs: JobTable;
  /** As the agent compressed them. */
  log_chunks: { job_id: JobId; first_line: number; count: number; raw_size: number; data: Uint8Array };
  log_gaps: { job_id: JobId; first_line: number; count: number };
  snapshots: {
    host_id: HostId;
    id: string;
    time: number;
    /** JSON of protocol `Snapshot`. */
    body: string;
  };
  /** Parts of a snapshot report whose last part has not come yet. */
  snapshot_parts: { host_id: HostId; taken_at: number; part: number; body: string };
  repository_stats: {
    host_id: HostId;
    taken_at: number;
    total_size: number;
    total_uncompressed_size: number | null;
    blob_count: number | null;
    snapshots_count: number;
  };
  /** Durable frames that could not be applied: kept for a person, so that one of them never blocks the rest. */
  rejected_frames: { host_id: HostId; epoch: Epoch; seq: number; at: number; reason: string; body: string };
  audit: {
    id: string;
    at: number;
    actor_kind: ActorKind | "agent" | "nobody";
    actor_id: string | null;
    actor_name: string;
    address: string | null;
    action: string;
    target_kind: string | null;
    target_id: string | null;
    target_name: string | null;
    detail: string;
  };
}

interface HostTable {
  id: HostId;
  name: string;
  /** Lower case; unique. */
  name_key: string;
  /** What the host was enrolled as: the name its snapshots carry for ever. */
  snapshot_host: Generated<string>;
  /** SHA-256 of the agent's bearer, hex. */
  bearer_hash: string;
  created_at: number;
  hostname: string | null;
  address: string | null;
  os: string;
  os_name: string;
  arch: string;
  machine_id: string | null;
  boot_id: string | null;
  agent_version: string | null;
  protocol_version: number | null;
  restic_state: "ok" | "missing" | "too_old" | null;
  restic_version: string | null;
  clock_skew_ms: number | null;
  online: Generated<number>;
  connected_since: number | null;
  last_seen_at: number | null;
  /** The server that has, or last had, the agent's connection, and that connection's number there. */
  link_node: string | null;
  link_connection: number | null;
  /** The epoch of the last hello. */
  epoch: Epoch | null;
  config_version: Generated<number>;
  config_applied_version: number | null;
  /** JSON `{code, message, at}` of the last refused connection; null once a connection was accepted. */
  link_problem: string | null;
  /** Derived from what follows by `hosts/status.ts`, in the transaction that changes it: the fleet page filters and sorts by it. */
  status: Generated<HostStatus>;
  status_rank: Generated<number>;
  /** Why the status is a bad one: a `JobErrorCode`, `offline`, `issues`, …; null while there is nothing to see to. */
  cause_code: string | null;
  /** One sentence of the cause, as the agent gave it. */
  cause_message: string | null;
  /** Since when, without a break, it has been this cause. */
  cause_since: number | null;
  last_backup_job_id: JobId | null;
  last_backup_state: "succeeded" | "failed" | "cancelled" | null;
  last_backup_at: number | null;
  last_backup_duration_ms: number | null;
  last_backup_issues: Generated<number>;
  /** JSON of protocol `JobError`. */
  last_backup_error: string | null;
  last_success_at: number | null;
  repository_id: string | null;
  /** When the job that opened it was ordered: what older jobs say is of another one. Null where there was no other. */
  repository_since: number | null;
  protected_bytes: number | null;
  stored_bytes: number | null;
  snapshot_count: Generated<number>;
  snapshots_taken_at: number | null;
  /** The machine's own zone, as its agent told. */
  timezone: string | null;
  /** Rises with every change of the host's schedules and source groups. */
  schedule_version: Generated<number>;
  schedule_applied_version: number | null;
  upload_kib_per_s: number | null;
  download_kib_per_s: number | null;
  /** Maintenance mode: since when, why, and who says so. */
  paused_at: number | null;
  paused_reason: string | null;
  paused_by: string | null;
  /** What the logs of its finished jobs take here; the sum of `jobs.log_bytes`. */
  log_bytes: Generated<number>;
  /** JSON `UpkeepTrouble` of `hosts/upkeep-trouble.ts`: what the last forget, prune or check says that somebody must see to. */
  upkeep_trouble: string | null;
}

interface JobTable {
  id: JobId;
  host_id: HostId;
  kind: JobKind;
  state: JobState;
  actor_kind: ActorKind;
  actor_id: string | null;
  actor_name: string;
  source_group_id: SourceGroupId | null;
  source_group_name: string | null;
  /** JSON of the kind's input, result and `JobError`. */
  input: string;
  result: string | null;
  error: string | null;
  /** JSON in the shape of the kind's result: what a job that did not succeed had done by then, where its kind tells. */
  left_behind: Generated<string | null>;
  /** 0 unless the job succeeded with issues. */
  issue_count: Generated<number>;
  created_at: number;
  /** When it was marked as sent, and to which epoch; set before the frame leaves. */
  sent_at: number | null;
  sent_epoch: Epoch | null;
  accepted_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  cancel_requested_at: number | null;
  /** Lines known so far, those missing included. */
  log_lines: Generated<number>;
  log_missing: Generated<number>;
  /** The schedule it was started by or for; with an instant when a fire started it. */
  schedule_id: ScheduleId | null;
  scheduled_at: number | null;
  /** Tries before this one, of the same fire. */
  attempt: Generated<number>;
  missed_count: Generated<number>;
  /** What the log takes here, compressed; known when the job has ended, 0 again once it is removed. */
  log_bytes: Generated<number>;
  /** When retention removed the log, or began to, and for what: its age, or to make room. */
  log_removed_at: number | null;
  log_removed_for: "age" | "room" | null;
}

export type Database = Kysely<Tables>;
/** Inside a transaction only ever use this, never the outer `Database`: on SQLite that would wait for itself. */
export type Trx = Transaction<Tables>;
export type HostRecord = Selectable<HostTable>;
export type HostUpdate = Updateable<HostTable>;
export type JobRecord = Selectable<JobTable>;
export type NewJobRecord = Insertable<JobTable>;
