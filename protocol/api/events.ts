import { z } from "zod";
import { HostId, Instant, JobId } from "../ids.ts";
import { JobKind } from "../jobs.ts";
import { HostRow } from "./hosts.ts";
import { Job } from "./jobs.ts";

/**
 * `GET /events`: one stream of changes for the console. Events carry the new state, so that a page patches what it
 * shows instead of asking for everything again. After a reconnect the console asks again for what it shows.
 */
export const ServerEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), server_time: Instant, version: z.string() }),
  z.object({ type: z.literal("host.changed"), host: HostRow }),
  z.object({ type: z.literal("host.removed"), host_id: HostId }),
  z.object({ type: z.literal("job.changed"), job: Job }),
  z.object({
    type: z.literal("job.progress"),
    job_id: JobId,
    host_id: HostId,
    kind: JobKind,
    progress: z.record(z.string(), z.unknown()),
  }),
  z.object({ type: z.literal("snapshots.changed"), host_id: HostId }),
  /** Its schedules, its source groups, or whether it is in maintenance mode. */
  z.object({ type: z.literal("schedules.changed"), host_id: HostId }),
  z.object({ type: z.literal("enrollment.changed"), enrollment_id: z.string() }),
  z.object({ type: z.literal("store.changed"), failing: z.boolean(), message: z.string().nullable() }),
  z.object({ type: z.literal("bus.changed"), cut_off: z.boolean() }),
]);
export type ServerEvent = z.infer<typeof ServerEvent>;
