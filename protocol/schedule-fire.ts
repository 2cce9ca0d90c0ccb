import { z } from "zod";
import { Instant, JobId, ScheduleId, SourceGroupId } from "./ids.ts";
import { MISSED_COUNTED, MISSED_LISTED } from "./limits.ts";

const count = z.int().nonnegative();

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
