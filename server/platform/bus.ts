import type { EnrollmentId, HostId, JobId } from "@restic-manager/protocol/ids";
import type { DownloadEnd, DownloadOrder } from "@restic-manager/protocol/download";
import type { JobKind } from "@restic-manager/protocol/jobs";
import type { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";

/**
 * What rooms tell each other after a commit. Events name what changed; whoever cares reads the store. Only progress,
 * which is never stored, travels whole. `bus-wire.ts` says which of them reach the other servers.
 */
export interface BusEvents {
  "host.changed": { hostId: HostId };
  "host.removed": { hostId: HostId };
  /** New credentials or limits: the agent must hear of them. */
  "config.changed": { hostId: HostId };
  /** Schedules, source groups or the maintenance mode: the agent must hear of them. */
  "schedules.changed": { hostId: HostId };
  "job.changed": { jobId: JobId; hostId: HostId };
  /** A job waits for its host: deliver it. A kind that never needs a repository for itself spares asking whose turn it is there. */
  "job.queued": { jobId: JobId; hostId: HostId; kind?: JobKind };
  "job.cancel": { jobId: JobId; hostId: HostId; now: boolean };
  "job.log": { jobId: JobId };
  "job.progress": { jobId: JobId; hostId: HostId; kind: JobKind; progress: Record<string, unknown> };
  "snapshots.changed": { hostId: HostId };
  "enrollment.changed": { enrollmentId: EnrollmentId };
  /** This server's own trouble with the store. */
  "store.changed": { failing: boolean; message: string | null };
  /** This server lost the others, or has them again. */
  "bus.changed": { cutOff: boolean };
  /** Events of other servers may have been missed: whoever remembers something reads it anew. */
  "bus.resync": Record<never, never>;
}
export type BusTopic = keyof BusEvents;

/** What became of a question to an agent. */
export type Answered =
  | { ok: true; answer: TreeAnswer }
  | { ok: false; why: "host_offline" | "agent_outdated" | "agent_busy" | "timed_out" | "cancelled" };

/** What a server passes on of a download: bytes (base64), or its end. */
export type DownloadNews =
  | { type: "chunk"; offset: number; bytes: string }
  | { type: "end"; end: DownloadEnd };

/** What one server asks of another one by name. Each is a nudge (the store has the facts), or may be lost (whoever waits has a deadline). */
export interface NodeRequests {
  /** Deliver what waits for these hosts, whose agents are with you. `turns`: those that may need one on their repository. */
  "link.deliver": { hostIds: HostId[]; turns?: HostId[] | undefined };
  "link.cancel": { hostId: HostId; jobId: JobId; now: boolean };
  /** These hosts' agents have come to another server: let go of your connection, if it is this one. */
  "link.replaced": { hosts: { hostId: HostId; connection: number }[] };
  /** Ask this host's agent, and tell `from` what it says. */
  "link.ask": { hostId: HostId; from: string; question: TreeQuestion };
  "link.answer": { hostId: HostId; requestId: string; answered: Answered };
  /** Nobody waits for that answer any more. */
  "link.leave": { hostId: HostId; requestId: string };
  /** Pass this on to the host's agent, and tell `from` what comes. */
  "link.download": { hostId: HostId; from: string; order: DownloadOrder };
  "link.downloaded": { hostId: HostId; requestId: string; news: DownloadNews };
}
export type NodeTopic = keyof NodeRequests;

/** The other servers cannot be reached at the moment, and were not for as long as a request is tried. */
export class BusAwayError extends Error {
  override name = "BusAwayError";
}

/** Publishes to whoever subscribed, on this server or another. */
export interface Bus {
  publish<T extends BusTopic>(topic: T, event: BusEvents[T]): void;
  /** Returns a function that ends the subscription. */
  subscribe<T extends BusTopic>(topic: T, handle: (event: BusEvents[T]) => void): () => void;
  /**
   * Asks the server called `node`. True when it took the request, false when there is no such server now.
   *
   * @throws BusAwayError when that could not be found out within some seconds.
   */
  request<T extends NodeTopic>(node: string, topic: T, request: NodeRequests[T]): Promise<boolean>;
  /** Answers requests to this server; one handler a topic. Returns a function that ends it. */
  respond<T extends NodeTopic>(topic: T, handle: (request: NodeRequests[T]) => void): () => void;
  /** Since when (ms since 1970) the other servers have been out of reach; null while they are not, or there are none. */
  cutOffSince(): number | null;
  /** Sends what waits to be sent and ends. */
  close(): Promise<void>;
}

type Handlers = { [T in BusTopic]?: Set<(event: BusEvents[T]) => void> };
type Responders = { [T in NodeTopic]?: (request: NodeRequests[T]) => void };

/**
 * A bus inside this process. Handlers run at once, in order of subscription; one that throws is reported to `onError` and stops
 * no other.
 *
 * @param node what this server is called; requests to any other find nobody.
 */
export function localBus(
  onError: (error: unknown, topic: BusTopic | NodeTopic) => void,
  node = "alone",
): Bus {
  const handlers: Handlers = {};
  const responders: Responders = {};
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
    async request(to, topic, request) {
      const respond = to === node ? responders[topic] : undefined;
      if (respond === undefined) return false;
      try {
        respond(request);
      } catch (error) {
        onError(error, topic);
      }
      return true;
    },
    respond(topic, handle) {
      Object.assign(responders, { [topic]: handle });
      return () => void delete responders[topic];
    },
    cutOffSince: () => null,
    close: () => Promise.resolve(),
  };
}
