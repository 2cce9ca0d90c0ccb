import type { BusEvents } from "../platform/bus.ts";
import type { EnrollmentId, HostId, JobId } from "@restic-manager/protocol/ids";

/** What happened since the last time, each thing once. */
export interface Changes {
  hosts: Set<HostId>;
  removed: Set<HostId>;
  jobs: Set<JobId>;
  progress: Map<JobId, BusEvents["job.progress"]>;
  snapshots: Set<HostId>;
  schedules: Set<HostId>;
  enrollments: Set<EnrollmentId>;
  store: BusEvents["store.changed"] | null;
  bus: BusEvents["bus.changed"] | null;
}

export function noChanges(): Changes {
  return {
    hosts: new Set(),
    removed: new Set(),
    jobs: new Set(),
    progress: new Map(),
    snapshots: new Set(),
    schedules: new Set(),
    enrollments: new Set(),
    store: null,
    bus: null,
  };
}

/** How much there is to look up and send. */
export function sizeOf(changes: Changes): number {
  return (
    changes.hosts.size +
    changes.removed.size +
    changes.jobs.size +
    changes.snapshots.size +
    changes.schedules.size
  );
}
