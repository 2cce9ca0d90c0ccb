import { z } from "zod";
import { EnrollmentId, HostId, JobId } from "@restic-manager/protocol/ids";
import { DownloadEnd, DownloadOrder } from "@restic-manager/protocol/download";
import { jobKinds, JobKind } from "@restic-manager/protocol/jobs";
import { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";
import type { Bus, BusEvents, BusTopic, NodeRequests } from "./bus.ts";

/** What a message between servers holds at most; NATS takes 1 MiB unless it is set otherwise. */
const MESSAGE_CHARACTERS = 256 * 1024;
/** Characters of an id in a message, and of a pair of them. */
const ID = 32;

/** Several events at once: each thing that changed is named once, however often it did. */
const Envelope = z.object({
  from: z.string(),
  /** The sender may have lost some of its events before this. */
  resync: z.boolean().default(false),
  progress: z
    .array(
      z.object({ jobId: JobId, hostId: HostId, kind: JobKind, progress: z.record(z.string(), z.unknown()) }),
    )
    .default([]),
  jobs: z.array(z.tuple([JobId, HostId])).default([]),
  logs: z.array(JobId).default([]),
  hosts: z.array(HostId).default([]),
  removed: z.array(HostId).default([]),
  config: z.array(HostId).default([]),
  schedules: z.array(HostId).default([]),
  snapshots: z.array(HostId).default([]),
  enrollments: z.array(EnrollmentId).default([]),
});
type Envelope = z.infer<typeof Envelope>;

/** A request to one server. */
export const RequestOnTheWire: z.ZodType<
  { [T in keyof NodeRequests]: { topic: T; request: NodeRequests[T] } }[keyof NodeRequests]
> = z.discriminatedUnion("topic", [
  z.object({
    topic: z.literal("link.deliver"),
    request: z.object({ hostIds: z.array(HostId), turns: z.array(HostId).optional() }),
  }),
  z.object({
    topic: z.literal("link.cancel"),
    request: z.object({ hostId: HostId, jobId: JobId, now: z.boolean() }),
  }),
  z.object({
    topic: z.literal("link.replaced"),
    request: z.object({ hosts: z.array(z.object({ hostId: HostId, connection: z.number() })) }),
  }),
  z.object({
    topic: z.literal("link.ask"),
    request: z.object({ hostId: HostId, from: z.string(), question: TreeQuestion }),
  }),
  z.object({
    topic: z.literal("link.answer"),
    request: z.object({
      hostId: HostId,
      requestId: z.string(),
      answered: z.discriminatedUnion("ok", [
        z.object({ ok: z.literal(true), answer: TreeAnswer }),
        z.object({
          ok: z.literal(false),
          why: z.enum(["host_offline", "agent_outdated", "agent_busy", "timed_out", "cancelled"]),
        }),
      ]),
    }),
  }),
  z.object({
    topic: z.literal("link.download"),
    request: z.object({ hostId: HostId, from: z.string(), order: DownloadOrder }),
  }),
  z.object({
    topic: z.literal("link.downloaded"),
    request: z.object({
      hostId: HostId,
      requestId: z.string(),
      news: z.discriminatedUnion("type", [
        z.object({ type: z.literal("chunk"), offset: z.number(), bytes: z.string() }),
        z.object({ type: z.literal("end"), end: DownloadEnd }),
      ]),
    }),
  }),
  z.object({
    topic: z.literal("link.leave"),
    request: z.object({ hostId: HostId, requestId: z.string() }),
  }),
]);

/** What is told by its id alone. */
type List = "logs" | "hosts" | "removed" | "config" | "schedules" | "snapshots" | "enrollments";

/** Collects what one server has to tell the others until somebody takes it. */
export class Outgoing {
  readonly #from: string;
  #progress = new Map<JobId, BusEvents["job.progress"]>();
  #jobs = new Map<JobId, HostId>();
  #ids: Record<List, Set<string>>;
  #resync = false;

  constructor(from: string) {
    this.#from = from;
    this.#ids = noIds();
  }

  /** Notes an event. False for one that concerns this server alone. */
  note<T extends BusTopic>(topic: T, event: BusEvents[T]): boolean;
  note(...[topic, event]: { [T in BusTopic]: [T, BusEvents[T]] }[BusTopic]): boolean {
    switch (topic) {
      case "job.progress":
        this.#progress.set(event.jobId, event);
        return true;
      case "job.changed":
        this.#jobs.set(event.jobId, event.hostId);
        return true;
      case "job.log":
        this.#ids.logs.add(event.jobId);
        return true;
      case "host.changed":
        this.#ids.hosts.add(event.hostId);
        return true;
      case "host.removed":
        this.#ids.removed.add(event.hostId);
        return true;
      case "config.changed":
        this.#ids.config.add(event.hostId);
        return true;
      case "schedules.changed":
        this.#ids.schedules.add(event.hostId);
        return true;
      case "snapshots.changed":
        this.#ids.snapshots.add(event.hostId);
        return true;
      case "enrollment.changed":
        this.#ids.enrollments.add(event.enrollmentId);
        return true;
      // Asked of the one server that has the agent, or nobody else's affair.
      case "job.queued":
      case "job.cancel":
      case "store.changed":
      case "bus.changed":
      case "bus.resync":
        return false;
    }
  }

  /** The next message shall say that events before it may be lost. */
  resync(): void {
    this.#resync = true;
  }

  /** Everything noted, as messages that each fit; forgets it. Progress that would fill a message by itself is left out. */
  take(): string[] {
    const messages: string[] = [];
    let envelope = this.#begin();
    let size = 0;
    const room = (characters: number) => {
      if (size > 0 && size + characters > MESSAGE_CHARACTERS) {
        messages.push(JSON.stringify(envelope));
        envelope = this.#begin();
        size = 0;
      }
      size += characters;
    };
    // Before the jobs they belong to: after "it has ended" nothing may say that it runs.
    for (const event of this.#progress.values()) {
      const characters = JSON.stringify(event.progress).length;
      if (characters > MESSAGE_CHARACTERS / 2) continue;
      room(characters + 4 * ID);
      envelope.progress.push(event);
    }
    for (const pair of this.#jobs) {
      room(2 * ID);
      envelope.jobs.push(pair);
    }
    for (const [list, ids] of Object.entries(this.#ids))
      for (const id of ids) {
        room(ID);
        (envelope[list as keyof ReturnType<typeof noIds>] as string[]).push(id);
      }
    if (size > 0 || this.#resync) messages.push(JSON.stringify({ ...envelope, resync: this.#resync }));
    this.#progress = new Map();
    this.#jobs = new Map();
    this.#ids = noIds();
    this.#resync = false;
    return messages;
  }

  #begin(): Envelope {
    const none = { progress: [], jobs: [], logs: [], hosts: [], removed: [], config: [], snapshots: [] };
    return { from: this.#from, resync: false, ...none, schedules: [], enrollments: [] };
  }
}

/**
 * Tells this server's rooms what another server published, and tells nobody else of it.
 *
 * @param me messages of this server itself are passed over.
 * @throws ZodError or SyntaxError for a message that is none of ours.
 */
export function deliverEnvelope(text: string, me: string, local: Pick<Bus, "publish">): void {
  const envelope = Envelope.parse(JSON.parse(text));
  if (envelope.from === me) return;
  for (const event of envelope.progress) {
    const progress = jobKinds[event.kind].progress.safeParse(event.progress);
    if (progress.success) local.publish("job.progress", { ...event, progress: progress.data });
  }
  for (const [jobId, hostId] of envelope.jobs) local.publish("job.changed", { jobId, hostId });
  for (const jobId of envelope.logs) local.publish("job.log", { jobId });
  for (const hostId of envelope.removed) local.publish("host.removed", { hostId });
  for (const hostId of envelope.hosts) local.publish("host.changed", { hostId });
  for (const hostId of envelope.config) local.publish("config.changed", { hostId });
  for (const hostId of envelope.schedules) local.publish("schedules.changed", { hostId });
  for (const hostId of envelope.snapshots) local.publish("snapshots.changed", { hostId });
  for (const enrollmentId of envelope.enrollments) local.publish("enrollment.changed", { enrollmentId });
  if (envelope.resync) local.publish("bus.resync", {});
}

function noIds(): Record<List, Set<string>> {
  const none = () => new Set<string>();
  return {
    logs: none(),
    hosts: none(),
    removed: none(),
    config: none(),
    schedules: none(),
    snapshots: none(),
    enrollments: none(),
  };
}
