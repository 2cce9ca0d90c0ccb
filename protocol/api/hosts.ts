import { z } from "zod";
import { ResticFound } from "../restic-found.ts";
import { HostId, Instant, JobId, ResticId, ScheduleId } from "../ids.ts";
import { JobError } from "../job-error.ts";
import { JobKind } from "../jobs.ts";
import { Snapshot } from "../snapshot.ts";
import { Bandwidth } from "../jobs/backup.ts";
import { HostName } from "./enrolment.ts";
import { RepoCredentialsView } from "./repository.ts";
import { HostPause } from "./schedules.ts";
import { HooksView } from "./sources.ts";
import { HostTag, HostTags } from "./tags.ts";

/**
 * One word for how a host stands, worst first: `failed` the last backup or the repository's opening failed, or a check found damage;
 * `restic` missing or too old; `offline`; `issues` the last backup left files out, or the last forget, prune or check failed; `running`; `queued`; `new` no backup yet; `protected`.
 */
export const HOST_STATUSES = [
  "failed",
  "restic",
  "offline",
  "issues",
  "running",
  "queued",
  "new",
  "protected",
] as const;
export const HostStatus = z.enum(HOST_STATUSES);
export type HostStatus = z.infer<typeof HostStatus>;

/** One row of the fleet table. */
export const HostRow = z.object({
  id: HostId,
  name: z.string(),
  status: HostStatus,
  os: z.string(),
  os_name: z.string(),
  arch: z.string(),
  online: z.boolean(),
  last_seen_at: Instant.nullable(),
  agent_version: z.string().nullable(),
  /** The last backup that ended, however it did. */
  last_backup: z
    .object({
      job_id: JobId,
      state: z.enum(["succeeded", "failed", "cancelled"]),
      finished_at: Instant,
      duration_ms: z.number().nonnegative().nullable(),
      issue_count: z.int().nonnegative(),
      error: JobError.nullable(),
    })
    .nullable(),
  /** What runs or waits first, if anything does. */
  active_job: z
    .object({
      id: JobId,
      kind: JobKind,
      state: z.enum(["queued", "running"]),
      fraction: z.number().nullable(),
    })
    .nullable(),
  /** Bytes the last snapshot covers. */
  protected_bytes: z.number().nullable(),
  /** Bytes the repository takes. */
  stored_bytes: z.number().nullable(),
  snapshot_count: z.int().nonnegative(),
  /** Maintenance mode, in which nothing fires. */
  paused: HostPause.nullable().optional(),
  /** When it backs up next by itself; null or absent: not at all. */
  next_run: Instant.nullable().optional(),
  /** The schedule that fires all its groups: what "back up now" runs. Null or absent: there is none. */
  covering_schedule: z.object({ id: ScheduleId, cron: z.string() }).nullable().optional(),
  tags: z.array(z.string()).optional(),
  /** What its repository's maintenance says that somebody must see to: damage, or that the last run failed. */
  upkeep_trouble: z
    .object({ sort: z.enum(["damaged", "failing"]), message: z.string() })
    .nullable()
    .optional(),
  created_at: Instant,
});
export type HostRow = z.infer<typeof HostRow>;

export const HOST_SORTS = ["status", "name", "os", "last_backup", "protected", "snapshots"] as const;
export const HostsQuery = z.strictObject({
  search: z.string().max(253).optional(),
  status: HostStatus.optional(),
  /** Hosts with a successful backup in the last 24 hours. */
  backed_up: z.enum(["24h"]).optional(),
  tag: HostTag.optional(),
  sort: z.enum(HOST_SORTS).default("status"),
  order: z.enum(["asc", "desc"]).default("asc"),
  cursor: z.string().max(1_024).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
export type HostsQuery = z.infer<typeof HostsQuery>;
export const HostsPage = z.object({
  items: z.array(HostRow),
  next_cursor: z.string().nullable(),
  /** Hosts that match the filter. */
  total: z.int().nonnegative(),
  /** Hosts per status among those that match the search and the tag alone. */
  counts: z.record(HostStatus, z.int().nonnegative()),
});
export type HostsPage = z.infer<typeof HostsPage>;

/** How the repository's opening stands: the last `init` job, read as one word. */
export const RepositoryState = z.discriminatedUnion("state", [
  z.object({ state: z.literal("no_credentials") }),
  z.object({ state: z.literal("waiting"), job_id: JobId.nullable() }),
  z.object({ state: z.literal("ready"), repository_id: ResticId, since: Instant, created: z.boolean() }),
  z.object({ state: z.literal("failed"), job_id: JobId, error: JobError }),
]);
export type RepositoryState = z.infer<typeof RepositoryState>;

/** One host with everything its page shows, but its lists. */
export const Host = HostRow.extend({
  hostname: z.string().nullable(),
  address: z.string().nullable(),
  connected_since: Instant.nullable(),
  restic: ResticFound.nullable(),
  /** Milliseconds the agent's clock is ahead of the server's. */
  clock_skew_ms: z.number().nullable(),
  protocol_version: z.int().nullable(),
  repository: RepositoryState,
  credentials: RepoCredentialsView.nullable(),
  stats: z
    .object({ taken_at: Instant, total_size: z.number(), total_uncompressed_size: z.number().nullable() })
    .nullable(),
  config: z.object({ version: z.int(), applied_version: z.int().nullable() }),
  /** As `config`, for its schedules: the same numbers mean that the agent is in sync. */
  schedules: z.object({ version: z.int(), applied_version: z.int().nullable() }).optional(),
  /** Caps of every restic call; see `PUT /hosts/{id}/bandwidth`. */
  bandwidth: Bandwidth.optional(),
  /** The machine's own zone, once its agent has told. */
  timezone: z.string().nullable().optional(),
  /** What runs around backups of groups that have no hooks of their own. */
  default_hooks: HooksView.nullable().optional(),
  /** Refused connections that a person should know of, such as a clone of the machine. */
  link_problem: z.object({ code: z.string(), message: z.string(), at: Instant }).nullable(),
});
export type Host = z.infer<typeof Host>;
/** What is left out stays. */
export const HostPatch = z.strictObject({ name: HostName.optional(), tags: HostTags.optional() });
export type HostPatch = z.infer<typeof HostPatch>;

export const SnapshotsQuery = z.strictObject({
  cursor: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
/** What about a snapshot is far above or below what those before it in its group had: bytes added, or files new and changed. */
export const SnapshotAnomaly = z.object({
  what: z.enum(["added", "changed"]),
  value: z.number(),
  /** The middle of those before it. */
  usual: z.number(),
  /** Up to here it would have been ordinary; above `value`: from here on. */
  limit: z.number(),
});
export type SnapshotAnomaly = z.infer<typeof SnapshotAnomaly>;
export const ListedSnapshot = Snapshot.extend({
  /** Absent where nothing stands out, and where too few came before to tell. */
  anomalies: z.array(SnapshotAnomaly).min(1).optional(),
});
export type ListedSnapshot = z.infer<typeof ListedSnapshot>;
/** Newest first. */
export const SnapshotsPage = z.object({
  items: z.array(ListedSnapshot),
  next_cursor: z.string().nullable(),
  total: z.int().nonnegative(),
  /** When the agent took the list; null before the first. */
  taken_at: Instant.nullable(),
});
export type SnapshotsPage = z.infer<typeof SnapshotsPage>;
