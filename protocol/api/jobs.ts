import { z } from "zod";
import { HostId, Instant, JobId, ScheduleId, SourceGroupId } from "../ids.ts";
import { JobError } from "../job-error.ts";
import { ActorKind, JOB_STATES, JobKind, jobKinds } from "../jobs.ts";
import { Bandwidth } from "../jobs/backup.ts";
import { LogLine } from "../log-lines.ts";
import { Problem } from "./errors.ts";

/** Who caused a job, in words a person knows. */
export const Actor = z.object({ kind: ActorKind, name: z.string() });

/** That a log is not kept any more: since when, and whether for its age or to make room for newer ones. */
export const LogRemoved = z.object({ at: Instant, why: z.enum(["age", "room"]) });
export type LogRemoved = z.infer<typeof LogRemoved>;

const common = {
  id: JobId,
  host: z.object({ id: HostId, name: z.string() }),
  actor: Actor,
  source_group: z.object({ id: SourceGroupId, name: z.string() }).nullable(),
  /** The fire that started it; absent for other jobs. `attempt` above 0: tried again after a failure. */
  schedule: z
    .object({
      id: ScheduleId,
      scheduled_at: Instant,
      attempt: z.int().nonnegative(),
      /** It stands for so many fires that could not run in time; 0 for a fire in time. */
      missed_count: z.int().nonnegative(),
    })
    .optional(),
  created_at: Instant,
  cancel_requested_at: Instant.nullable(),
  /** `lines` and `missing` are what the log had, also once it is `removed`. */
  log: z.object({
    lines: z.int().nonnegative(),
    missing: z.int().nonnegative(),
    removed: LogRemoved.optional(),
  }),
};

/** What a queued job waits for. */
export const WaitsFor = z.enum(["host_offline", "delivery", "turn", "repository"]);

/** The job that works on the same repository, alone, before a queued one may. */
export const WaitsOn = z.object({
  job_id: JobId,
  kind: JobKind,
  host: z.object({ id: HostId, name: z.string() }),
});
export type WaitsOn = z.infer<typeof WaitsOn>;

function jobOf<K extends JobKind>(kind: K) {
  const { progress, result } = jobKinds[kind];
  const of = { ...common, kind: z.literal(kind) };
  /** What it had done by then, where its kind can tell: a restore's files are there. */
  const leftBehind = { left: result.optional() };
  return z.discriminatedUnion("state", [
    z.object({
      ...of,
      state: z.literal("queued"),
      waits_for: WaitsFor,
      /** With `repository`: for whom it waits. */
      waits_on: WaitsOn.optional(),
    }),
    z.object({ ...of, state: z.literal("running"), started_at: Instant, progress: progress.nullable() }),
    z.object({ ...of, state: z.literal("succeeded"), started_at: Instant, finished_at: Instant, result }),
    z.object({
      ...of,
      state: z.literal("failed"),
      started_at: Instant.nullable(),
      finished_at: Instant,
      error: JobError,
      ...leftBehind,
    }),
    z.object({
      ...of,
      state: z.literal("cancelled"),
      started_at: Instant.nullable(),
      finished_at: Instant,
      ...leftBehind,
    }),
  ]);
}

/** A job as the console sees it: a union of kind × state, so that a queued job with a result cannot be written. */
export const Job = z.discriminatedUnion("kind", [
  jobOf("init"),
  jobOf("backup"),
  jobOf("forget"),
  jobOf("prune"),
  jobOf("check"),
  jobOf("unlock"),
  jobOf("restore"),
  jobOf("diff"),
  jobOf("tag"),
  jobOf("forget_snapshots"),
]);
export type Job = z.infer<typeof Job>;

export const JobsQuery = z.strictObject({
  host_id: HostId.optional(),
  kind: JobKind.optional(),
  /** `issues` = succeeded with issues. */
  state: z.enum([...JOB_STATES, "active", "finished", "issues"]).optional(),
  cursor: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
export type JobsQuery = z.infer<typeof JobsQuery>;
export const JobsPage = z.object({ items: z.array(Job), next_cursor: z.string().nullable() });
export type JobsPage = z.infer<typeof JobsPage>;

/** `POST /hosts/{id}/source-groups/{gid}/run`. */
export const RunGroup = z.strictObject({
  bandwidth: Bandwidth.optional(),
  /** What to do when the machine is not connected: let the job wait for it, or answer `host_offline`. */
  when_offline: z.enum(["wait", "refuse"]).default("wait"),
});
/** Most hosts of one `POST /backups`: a whole fleet. */
export const MOST_HOSTS_AT_ONCE = 10_000;
/** `POST /backups`: every source group of each of these hosts. A host that is named twice is run once. */
export const RunHosts = z.strictObject({
  host_ids: z.array(HostId).min(1).max(MOST_HOSTS_AT_ONCE),
  /** Caps for this run only. */
  bandwidth: Bandwidth.optional(),
});
/** What became of one host: a job for each of its source groups, or why there is none. */
export const HostRun = z.discriminatedUnion("outcome", [
  z.object({ outcome: z.literal("queued"), host_id: HostId, job_ids: z.array(JobId).min(1) }),
  z.object({ outcome: z.literal("refused"), host_id: HostId, problem: Problem }),
]);
export type HostRun = z.infer<typeof HostRun>;
/** In the order in which they were named. */
export const RanHosts = z.object({ items: z.array(HostRun) });
export type RanHosts = z.infer<typeof RanHosts>;
export const CancelJob = z.strictObject({ now: z.boolean().default(false) });
export const CreatedJob = z.object({ job: Job });
export type CreatedJob = z.infer<typeof CreatedJob>;

/** `GET /jobs/{id}/log`: numbered lines and the holes between them. */
export const JobLogQuery = z.strictObject({
  from: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});
export const LogGap = z.object({ first_line: z.int().nonnegative(), count: z.int().positive() });
export const JobLogPage = z.object({
  /** In order; `n` is the line's number from 0. */
  lines: z.array(LogLine.extend({ n: z.int().nonnegative() })),
  gaps: z.array(LogGap),
  /** Number of the line after the last one known. */
  end: z.int().nonnegative(),
  /** True when the job has finished and nothing more will come. */
  complete: z.boolean(),
  /** When it is there, lines and gaps are not, whatever `end` says. */
  removed: LogRemoved.optional(),
});
export type JobLogPage = z.infer<typeof JobLogPage>;

/**
 * `GET /jobs/{id}/stream`, server-sent events. Event `lines` carries this, with the number of the line after the last one as the
 * event id; `progress` a job's progress; `job` the job whenever its state changes; `end` closes a finished log.
 */
export const StreamLines = JobLogPage.pick({ lines: true, gaps: true });
export type StreamLines = z.infer<typeof StreamLines>;
