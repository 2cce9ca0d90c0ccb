import { z } from "zod";
import { CRON_CHARACTERS } from "./cron.ts";
import { Instant, JobId, ScheduleId, SourceGroupId } from "./ids.ts";
import { BACK_OFF_CAP_MS } from "./limits.ts";

const count = z.int().nonnegative();

/** One schedule as its agent holds it. */
export const AgentSchedule = z.object({
  id: ScheduleId,
  cron: z.string().max(CRON_CHARACTERS),
  /** Null: the machine's own zone. */
  timezone: z.string().max(64).nullable(),
  enabled: z.boolean(),
  spread_seconds: count,
  source_group_ids: z.array(SourceGroupId).min(1).max(1_000),
});
export type AgentSchedule = z.infer<typeof AgentSchedule>;

/** One source group as its agent holds it: what a fire backs up, and how often it tries. */
export const AgentGroup = z.object({
  id: SourceGroupId,
  name: z.string().min(1).max(128),
  includes: z.array(z.string().min(1).max(4_096)).min(1).max(20_000),
  excludes: z.array(z.string().min(1).max(4_096)).max(20_000),
  retry_max: count,
  retry_backoff_seconds: count,
});
export type AgentGroup = z.infer<typeof AgentGroup>;

/** Server → agent: everything the agent fires by itself from now on. Answered by `schedule.ack`. */
export const ScheduleSet = z.object({
  type: z.literal("schedule.set"),
  version: count,
  /** Maintenance mode: nothing fires. Times that pass meanwhile are not caught up with. */
  paused: z.boolean(),
  schedules: z.array(AgentSchedule).max(1_000),
  groups: z.array(AgentGroup).max(1_000),
});
export type ScheduleSet = z.infer<typeof ScheduleSet>;

/** Instants listed in one fire; the newest, when more were missed. */
export const MISSED_LISTED = 50;
/** Missed instants are counted up to this. */
export const MISSED_COUNTED = 1_000;

/** One run in place of all that could not run in time: the machine slept, was off, or its clock was set. */
export const CatchUp = z.object({
  /** How many instants this run stands for; `MISSED_COUNTED` means that many or more. */
  missed_count: z.int().positive().max(MISSED_COUNTED),
  missed: z.array(Instant).max(MISSED_LISTED),
});
export type CatchUp = z.infer<typeof CatchUp>;

/**
 * Agent → server, durable: a schedule fired, and these are its jobs. Its key is schedule and instant; `attempt` above 0 announces
 * what is tried again after a failure.
 */
export const ScheduleFire = z.object({
  type: z.literal("schedule.fire"),
  schedule_id: ScheduleId,
  /** The instant that the schedule names, before any spread. */
  scheduled_at: Instant,
  fired_at: Instant,
  attempt: count,
  catch_up: CatchUp.optional(),
  jobs: z
    .array(
      z.object({
        job_id: JobId,
        source_group_id: SourceGroupId,
        source_group_name: z.string().min(1).max(128),
        /** What the job does; left out where it would not fit the frame. */
        input: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .max(1_000),
});
export type ScheduleFire = z.infer<typeof ScheduleFire>;

/** How long to wait before try number `attempt` (1 is the first repetition), in milliseconds: doubled each time, up to half an hour. */
export function backOffMs(seconds: number, attempt: number): number {
  return Math.min(BACK_OFF_CAP_MS, seconds * 1_000 * 2 ** Math.min(30, Math.max(0, attempt - 1)));
}
