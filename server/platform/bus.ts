import type { EnrollmentId, HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobKind } from "@restic-manager/protocol/jobs";

/**
 * What rooms tell each other after a commit. Events name what changed; whoever cares reads the store. Only progress,
 * which is never stored, travels whole.
 */
export interface BusEvents {
  "host.changed": { hostId: HostId };
  "host.removed": { hostId: HostId };
  /** New credentials or limits: the agent must hear of them. */
  "config.changed": { hostId: HostId };
  /** Schedules, source groups or the maintenance mode: the agent must hear of them. */
  "schedules.changed": { hostId: HostId };
  "job.changed": { jobId: JobId; hostId: HostId };
  /** A job waits for its host: deliver it. */
  "job.queued": { jobId: JobId; hostId: HostId };
  "job.cancel": { jobId: JobId; hostId: HostId; now: boolean };
  "job.log": { jobId: JobId };
  "job.progress": { jobId: JobId; hostId: HostId; kind: JobKind; progress: Record<string, unknown> };
  "snapshots.changed": { hostId: HostId };
  "enrollment.changed": { enrollmentId: EnrollmentId };
  "store.changed": { failing: boolean; message: string | null };
}
export type BusTopic = keyof BusEvents;

/** Publishes to whoever subscribed. In one process today; the interface says nothing about where a subscriber lives. */
export interface Bus {
  publish<T extends BusTopic>(topic: T, event: BusEvents[T]): void;
  /** Returns a function that ends the subscription. */
  subscribe<T extends BusTopic>(topic: T, handle: (event: BusEvents[T]) => void): () => void;
}

type Handlers = { [T in BusTopic]?: Set<(event: BusEvents[T]) => void> };

/**
 * A bus inside this process. Handlers run at once, in order of subscription; one that throws is reported to `onError` and stops
 * no other.
 */
export function localBus(onError: (error: unknown, topic: BusTopic) => void): Bus {
  const handlers: Handlers = {};
  const of = <T extends BusTopic>(topic: T): Set<(event: BusEvents[T]) => void> => {
    const known = handlers[topic];
    if (known !== undefined) return known;
    const made: Set<(event: BusEvents[T]) => void> = new Set();
    Object.assign(handlers, { [topic]: made });
    return made;
  };
  return {
    publish(topic, event) {
      for (const handle of of(topic)) {
        try {
          handle(event);
        } catch (error) {
          onError(error, topic);
        }
      }
    },
    subscribe(topic, handle) {
      of(topic).add(handle);
      return () => of(topic).delete(handle);
    },
  };
}
