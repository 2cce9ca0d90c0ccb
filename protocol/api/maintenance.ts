import { z } from "zod";
import { HostId, Instant, JobId, SourceGroupId } from "../ids.ts";
import { JobError } from "../job-error.ts";
import { JOB_STATES } from "../jobs.ts";
import { RetentionPolicy } from "../retention.ts";
import { CronText, FireTime, HostPause, WhenOffline } from "./schedules.ts";

const count = z.int().nonnegative();

/** What the server does by itself in a repository, in the order in which it makes sense. */
export const UPKEEP_KINDS = ["forget", "prune", "check"] as const;
export const UpkeepKind = z.enum(UPKEEP_KINDS);
export type UpkeepKind = z.infer<typeof UpkeepKind>;

const Task = z.strictObject({ cron: CronText, enabled: z.boolean() });
const CheckTask = Task.extend({
  /** How much of the data a check reads besides the structure. */
  read_data_percent: z.int().min(0, "0 to 100 percent").max(100, "0 to 100 percent"),
});

/** `PUT /hosts/{id}/repo-maintenance`: all of it. Times are those of the machine's own zone. */
export const RepoMaintenanceInput = z.strictObject({ forget: Task, prune: Task, check: CheckTask });
export type RepoMaintenanceInput = z.infer<typeof RepoMaintenanceInput>;

/**
 * Why one of these does not run now; codes of the API's errors and of jobs. `admin_creds_required`: no credentials that may delete;
 * `missing_retention`: no source group says what to keep.
 */
export const Hindrance = z.object({
  code: z.enum([
    "host_offline",
    "host_paused",
    "no_credentials",
    "repository_not_ready",
    "agent_outdated",
    "restic_missing",
    "admin_creds_required",
    "missing_retention",
    "already_active",
  ]),
  message: z.string(),
});
export type Hindrance = z.infer<typeof Hindrance>;

/** A run as the repository's page needs it. Previews of `forget` do not count as runs. */
export const UpkeepRun = z.object({
  job_id: JobId,
  state: z.enum(JOB_STATES),
  /** A person, or the server by itself. */
  actor: z.object({ kind: z.enum(["user", "schedule", "system"]), name: z.string() }),
  created_at: Instant,
  started_at: Instant.nullable(),
  finished_at: Instant.nullable(),
  /** With `failed`. A check that could not look says nothing of the data. */
  error: JobError.nullable(),
  /** With `succeeded`: what it came to. */
  outcome: z
    .discriminatedUnion("kind", [
      z.object({
        kind: z.literal("forget"),
        removed_count: count,
        kept_count: count,
        not_removed_count: count,
        /** Groups without a retention policy. */
        skipped_groups: count,
      }),
      z.object({
        kind: z.literal("prune"),
        freed_bytes: count.nullable(),
        remaining_bytes: count.nullable(),
        duration_seconds: z.number().nonnegative(),
      }),
      z.object({
        kind: z.literal("check"),
        result: z.enum(["ok", "errors_found"]),
        read_data_percent: count,
        error_count: count,
        broken_pack_count: count,
        missing_pack_count: count,
        /** The first of them; the job has all that were listed. */
        broken_packs: z.array(z.string()).max(10),
        doubtful: z.boolean(),
        duration_seconds: z.number().nonnegative(),
      }),
      z.object({ kind: z.literal("unlock"), removed_count: count, remaining_count: count }),
    ])
    .nullable(),
});
export type UpkeepRun = z.infer<typeof UpkeepRun>;

const TaskView = z.object({
  cron: z.string(),
  enabled: z.boolean(),
  /** Null while it is off or the host is paused. In the past: it is due, and `hindrance` says why it does not run. */
  next_run: FireTime.nullable(),
  /** The newest, whatever its state. */
  last_run: UpkeepRun.nullable(),
  /** The newest that succeeded; often the same. */
  last_success: UpkeepRun.nullable(),
  /** Why the server does not run it by itself when it is due; null when it does. */
  hindrance: Hindrance.nullable(),
});

export const RepoMaintenance = z.object({
  /** In whose times the expressions are: the machine's own zone, UTC while that is not known. */
  effective_timezone: z.string(),
  paused: HostPause.nullable(),
  forget: TaskView,
  prune: TaskView,
  check: TaskView.extend({ read_data_percent: count }),
  /** Null while nobody has changed them. */
  updated_at: Instant.nullable(),
});
export type RepoMaintenance = z.infer<typeof RepoMaintenance>;

/** `POST /hosts/{id}/repo/forget`. */
export const RunForget = z.strictObject({
  /** Removes nothing: the job's result lists what would go, with restic's reasons for what stays. */
  dry_run: z.boolean().default(false),
  /** Only these groups; all of the host when left out. */
  source_group_ids: z.array(SourceGroupId).min(1).max(1_000).optional(),
  /** Only with `dry_run` and one group: instead of what is saved. */
  retention_policy: RetentionPolicy.optional(),
  when_offline: WhenOffline,
});
/** `POST /hosts/{id}/repo/prune`. */
export const RunPrune = z.strictObject({ when_offline: WhenOffline });
/** `POST /hosts/{id}/repo/check`. */
export const RunCheck = z.strictObject({
  /** As the host's settings say when it is left out. */
  read_data_percent: z.int().min(0).max(100).optional(),
  when_offline: WhenOffline,
});
/** `POST /hosts/{id}/repo/unlock`. */
export const RunUnlock = z.strictObject({
  /** Living locks too, of any machine: their jobs fail, and a prune under way may damage the repository. */
  remove_all: z.boolean().default(false),
  /** With `remove_all`: the host's name, typed by a person. */
  confirm_host_name: z.string().max(253).optional(),
  when_offline: WhenOffline,
});

/** `POST /hosts/{id}/jobs`: by kind, what the paths under `/hosts/{id}/repo/` take. */
export const NewJob = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("init") }),
  RunForget.extend({ kind: z.literal("forget") }),
  RunPrune.extend({ kind: z.literal("prune") }),
  RunCheck.extend({ kind: z.literal("check") }),
  RunUnlock.extend({ kind: z.literal("unlock") }),
]);
export type NewJob = z.infer<typeof NewJob>;
export type NewUpkeepJob = Exclude<NewJob, { kind: "init" }>;

/** `POST /hosts/{id}/repo/reinit`: an `init` job. restic wipes nothing: where there is a repository, the job opens it and says so. */
export const ReinitRepository = z.strictObject({
  /** The host's name, typed by a person. */
  confirm_host_name: z.string().max(253),
});

/** A host that shares a repository with another. */
export const SharingHost = z.object({ id: HostId, name: z.string(), online: z.boolean() });
export type SharingHost = z.infer<typeof SharingHost>;
