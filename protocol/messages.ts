import { z } from "zod";
import { Instant, JobId, ResticId } from "./ids.ts";
import { ScheduleFire } from "./schedule-fire.ts";
import { ActorKind, JobKind } from "./jobs.ts";
import { DiffChange, DIFF_BATCH } from "./jobs/diff.ts";
import { DownloadEnd } from "./download.ts";
import { JobOutcome } from "./outcome.ts";
import { Snapshot } from "./snapshot.ts";
import { TreeAnswer } from "./tree.ts";

const count = z.int().nonnegative();

/** What an agent says that must not be lost: each travels in a durable frame. Log chunks travel as binary frames. */
export const DurableMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("job.accepted"), job_id: JobId, at: Instant }),
  z.object({ type: z.literal("job.started"), job_id: JobId, at: Instant }),
  z.object({
    type: z.literal("job.finished"),
    job_id: JobId,
    kind: JobKind,
    started_at: Instant.nullable(),
    finished_at: Instant,
    outcome: JobOutcome,
    /** Lines the log has in all, those marked as missing included. */
    log_lines: count,
    /** Only in answer to `resync`: enough to write the job again when the server has forgotten it. */
    recreate: z
      .object({ input: z.record(z.string(), z.unknown()), actor_kind: ActorKind, created_at: Instant })
      .optional(),
  }),
  /** Lines that had to give way on the agent. They count in the numbering. */
  z.object({ type: z.literal("log.gap"), job_id: JobId, first_line: count, count: z.int().positive() }),
  /** What a comparison has found, from its `first` change on. */
  z.object({
    type: z.literal("diff.changes"),
    job_id: JobId,
    first: count,
    changes: z.array(DiffChange).min(1).max(DIFF_BATCH),
  }),
  ScheduleFire,
  /** The whole list, in parts that each fit a frame; the server swaps it in with the last part. */
  z.object({
    type: z.literal("snapshots.report"),
    repository_id: ResticId,
    taken_at: Instant,
    part: count,
    parts: z.int().positive().max(10_000),
    snapshots: z.array(Snapshot).max(1_000),
  }),
  z.object({
    type: z.literal("repo.stats"),
    repository_id: ResticId,
    taken_at: Instant,
    /** Bytes the repository takes, from `stats --mode raw-data`. */
    total_size: count,
    total_uncompressed_size: count.optional(),
    blob_count: count.optional(),
    snapshots_count: count,
  }),
]);
export type DurableMessage = z.infer<typeof DurableMessage>;

/** What an agent says that may be lost. */
export const TransientMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("heartbeat"), at: Instant }),
  /** At most one a second and job. `progress` has the shape of the job's kind. */
  z.object({
    type: z.literal("job.progress"),
    job_id: JobId,
    kind: JobKind,
    at: Instant,
    progress: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal("config.applied"), version: count }),
  /** The schedules of that version would survive a restart of the agent. */
  z.object({ type: z.literal("schedule.ack"), version: count }),
  ...TreeAnswer.options,
  ...DownloadEnd.options,
]);
export type TransientMessage = z.infer<typeof TransientMessage>;
