import { z } from "zod";
import { parseCron } from "../cron.ts";
import { CRON_CHARACTERS } from "../limits.ts";
import { zoneOf } from "../fire-times.ts";
import { HostId, Instant, JobId, ScheduleId, SourceGroupId } from "../ids.ts";
import { CatchUp } from "../schedule-fire.ts";
import { Changed, EditedVersion } from "./changed.ts";
import { Problem } from "./errors.ts";
import { Job } from "./jobs.ts";

/** Five fields; what is wrong with another text is said in words. */
export const CronText = z
  .string()
  .max(CRON_CHARACTERS)
  .transform((text) => text.trim().replaceAll(/\s+/g, " "))
  .check((context) => {
    const parsed = parseCron(context.value);
    if (!parsed.ok) context.issues.push({ code: "custom", message: parsed.problem, input: context.value });
  });
/** A zone by name, such as `Europe/Berlin`. */
export const TimeZone = z
  .string()
  .max(64)
  .refine((name) => zoneOf(name) !== undefined, "is not the name of a time zone, such as Europe/Berlin");

/** `POST` and `PUT`: the whole schedule. */
export const ScheduleInput = z.strictObject({
  cron: CronText,
  /** Null or left out: the machine's own. */
  timezone: TimeZone.nullable().default(null),
  enabled: z.boolean().default(true),
  source_group_ids: z
    .array(SourceGroupId)
    .min(1, "choose at least one source group")
    .max(100)
    .refine((ids) => new Set(ids).size === ids.length, "names a group twice"),
  /** Fires up to so much later, each host at its own moment in this window. */
  spread_seconds: z.int().min(0).max(43_200, "at most 12 hours").default(0),
});
export type ScheduleInput = z.infer<typeof ScheduleInput>;
export const ScheduleEdit = ScheduleInput.extend({ version: EditedVersion });
export type ScheduleEdit = z.infer<typeof ScheduleEdit>;

/** An instant in UTC, and what the wall clock of the schedule's zone shows then. */
export const FireTime = z.object({ at: Instant, local: z.string() });
export type FireTime = z.infer<typeof FireTime>;

export const Schedule = z.object({
  id: ScheduleId,
  cron: z.string(),
  timezone: z.string().nullable(),
  /** The zone it fires in: its own, else the machine's as its agent told; UTC while that is not known. */
  effective_timezone: z.string(),
  enabled: z.boolean(),
  spread_seconds: z.int().nonnegative(),
  source_groups: z.array(z.object({ id: SourceGroupId, name: z.string() })),
  /** With this host's share of the spread; null while it is off or the host is paused. */
  next_run: FireTime.nullable(),
  /** The last fire that is known here, with its jobs. */
  last_run: z
    .object({
      scheduled_at: Instant,
      fired_at: Instant,
      catch_up: CatchUp.nullable(),
      job_ids: z.array(JobId),
      /** The worst of its jobs: `running` until all are over. */
      state: z.enum(["running", "succeeded", "failed", "cancelled"]).nullable(),
    })
    .nullable(),
  /** It should have fired and nothing is known of it. With `host_offline` it may have: the machine tells when it is back. */
  overdue: z.object({ scheduled_at: Instant, host_offline: z.boolean() }).nullable(),
  /** Rises with each change; see `PUT`. */
  version: z.int().positive(),
  /** Null while it is as it was made. */
  changed: Changed.nullable(),
});
export type Schedule = z.infer<typeof Schedule>;

/** Maintenance mode of a host. */
export const HostPause = z.object({ reason: z.string(), since: Instant, by: z.string() });
export type HostPause = z.infer<typeof HostPause>;
export const HostPauseInput = z.strictObject({ reason: z.string().trim().min(1, "say why").max(500) });

export const Schedules = z.object({
  items: z.array(Schedule),
  /** Null unless the host is in maintenance mode: then nothing fires. */
  paused: HostPause.nullable(),
  /** `applied_version` is what the agent last said it holds; the same as `version`: in sync. */
  sync: z.object({ version: z.int(), applied_version: z.int().nullable() }),
});
export type Schedules = z.infer<typeof Schedules>;

/** `POST …/schedules/preview`: what a cron field means before it is saved. */
export const SchedulePreviewInput = ScheduleInput.pick({ cron: true, timezone: true });
export const SchedulePreview = z.object({
  effective_timezone: z.string(),
  /** Without any spread. */
  next: z.array(FireTime).max(5),
});
export type SchedulePreview = z.infer<typeof SchedulePreview>;

export const LOAD_SLOT_MINUTES = 15;
/** `GET /schedules/load`: how many runs of schedules start when, in the next 24 hours. Hosts in maintenance mode do not count. */
export const ScheduleLoad = z.object({
  from: Instant,
  /** Quarters of an hour, 96 of them. */
  slots: z.array(
    z.object({
      at: Instant,
      starts: z.int().nonnegative(),
      /** What it would be if no schedule were spread. */
      without_spread: z.int().nonnegative(),
    }),
  ),
  /** Schedules that are on, and such of hosts in maintenance mode. */
  schedules: z.int().nonnegative(),
  paused: z.int().nonnegative(),
});
export type ScheduleLoad = z.infer<typeof ScheduleLoad>;

/** `POST /pauses`: maintenance mode for many hosts at once; a reason of null ends it. */
export const PauseHosts = z.strictObject({
  host_ids: z.array(HostId).min(1).max(10_000),
  reason: z.string().trim().min(1, "say why").max(500).nullable(),
});
export type PauseHosts = z.infer<typeof PauseHosts>;
export const PausedHosts = z.object({
  items: z.array(
    z.discriminatedUnion("outcome", [
      z.object({ outcome: z.literal("done"), host_id: HostId }),
      z.object({ outcome: z.literal("refused"), host_id: HostId, problem: Problem }),
    ]),
  ),
});
export type PausedHosts = z.infer<typeof PausedHosts>;

/** `POST …/schedules/{sid}/run`, and of a group: what to do when the machine is not connected. */
export const WhenOffline = z.enum(["wait", "refuse"]).default("wait");
export const RunSchedule = z.strictObject({ when_offline: WhenOffline });
export const CreatedJobs = z.object({ jobs: z.array(Job) });
export type CreatedJobs = z.infer<typeof CreatedJobs>;
