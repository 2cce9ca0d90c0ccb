import { z } from "zod";
import { ScheduleId, SourceGroupId } from "./ids.ts";
import { CRON_CHARACTERS } from "./limits.ts";

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
