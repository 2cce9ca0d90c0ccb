import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";

/** What one transaction changed: collected while it runs, told to the bus only after it committed. */
export interface Touched {
  hosts: Set<HostId>;
  /** Jobs whose state changed, with their hosts. */
  jobs: Map<JobId, HostId>;
  /** Jobs that waited for what is free now: to be delivered. */
  waiting: Map<JobId, HostId>;
  /** Jobs whose log grew. */
  logs: Set<JobId>;
  snapshots: Set<HostId>;
  /** Jobs that are over here and that an agent still holds: it must let go. */
  letGo: Map<JobId, HostId>;
  /** Events that did not fit their job's state: told to the log, not applied. */
  unfit: { jobId: JobId; hostId: HostId; event: string }[];
}

export function nothingTouched(): Touched {
  return {
    hosts: new Set(),
    jobs: new Map(),
    waiting: new Map(),
    logs: new Set(),
    snapshots: new Set(),
    letGo: new Map(),
    unfit: [],
  };
}

/** Tells the rooms what changed. */
export function publishTouched(bus: Bus, touched: Touched): void {
  for (const [jobId, hostId] of touched.jobs) bus.publish("job.changed", { jobId, hostId });
  for (const [jobId, hostId] of touched.waiting) bus.publish("job.queued", { jobId, hostId });
  for (const jobId of touched.logs) bus.publish("job.log", { jobId });
  for (const hostId of touched.hosts) bus.publish("host.changed", { hostId });
  for (const hostId of touched.snapshots) bus.publish("snapshots.changed", { hostId });
}
