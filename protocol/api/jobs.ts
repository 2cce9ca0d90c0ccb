import { z } from "zod";
import { HostId, Instant, JobId, ScheduleId, SourceGroupId } from "../ids.ts";
import { JobError } from "../job-error.ts";
import { ActorKind, JOB_STATES, JobKind, jobKinds } from "../jobs.ts";
import { Bandwidth } from "../jobs/backup.ts";
import { LogLine } from "../log-lines.ts";

/** Who caused a job, in words a person knows. */
export const Actor = z.object({ kind: ActorKind, name: z.string() });

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
  log: z.object({ lines: z.int().nonnegative(), missing: z.int().nonnegative() }),
};

/** What a queued job waits for. */
export const WaitsFor = z.enum(["host_offline", "delivery", "turn"]);

function jobOf<K extends JobKind>(kind: K) {
  const { progress, result } = jobKinds[kind];
  const of = { ...common, kind: z.literal(kind) };
  return z.discriminatedUnion("state", [
    z.object({ ...of, state: z.literal("queued"), waits_for: WaitsFor }),
    z.object({ ...of, state: z.literal("running"), started_at: Instant, progress: progress.nullable() }),
    z.object({ ...of, state: z.literal("succeeded"), started_at: Instant, finished_at: Instant, result }),
    z.object({
      ...of,
      state: z.literal("failed"),
      started_at: Instant.nullable(),
      finished_at: Instant,
      error: JobError,
    }),
    z.object({ ...of, state: z.literal("cancelled"), started_at: Instant.nullable(), finished_at: Instant }),
  ]);
}

/** A job as the console sees it: a union of kind × state, so that a queued job with a result cannot be written. */
export const Job = z.discriminatedUnion("kind", [jobOf("init"), jobOf("backup")]);
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

/** `POST /hosts/{id}/jobs`: only kinds that need nothing else. */
export const NewJob = z.strictObject({ kind: z.literal("init") });
/** `POST /hosts/{id}/source-groups/{gid}/run`. */
export const RunGroup = z.strictObject({
  bandwidth: Bandwidth.optional(),
  /** What to do when the machine is not connected: let the job wait for it, or answer `host_offline`. */
  when_offline: z.enum(["wait", "refuse"]).default("wait"),
});
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
});
export type JobLogPage = z.infer<typeof JobLogPage>;

/**
 * `GET /jobs/{id}/stream`, server-sent events. Event `lines` carries this, with the number of the line after the last one as the
 * event id; `progress` a job's progress; `job` the job whenever its state changes; `end` closes a finished log.
 */
export const StreamLines = JobLogPage.pick({ lines: true, gaps: true });
export type StreamLines = z.infer<typeof StreamLines>;
