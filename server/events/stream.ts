import type { ServerEvent } from "@restic-manager/protocol/api/events";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import { instant, type Cancel, type Clock } from "../platform/clock.ts";
import { progressWithoutNames, tellsNames, withoutNames } from "../jobs/names.ts";
import { noChanges, sizeOf, type Changes } from "./changes.ts";
import { createViewer, type Viewer } from "./viewer.ts";

/** Changes are gathered so long: ten updates a second are as many as a person sees. */
const GATHER_MS = 100;
/** More changes than this at once cost more to look up and send than what a page shows. */
const MOST_AT_ONCE = 500;
/** How soon a session that was revoked stops seeing. */
const SESSION_CHECK_MS = 10_000;

export interface EventsParts {
  bus: Bus;
  clock: Clock;
  version: string;
  /** Rows of hosts and jobs as they are now; those that are gone are left out. */
  viewHosts: (ids: readonly HostId[]) => Promise<HostRow[]>;
  viewJobs: (ids: readonly JobId[]) => Promise<Job[]>;
  /** False once the session has ended. */
  isSessionAlive: (sessionHash: string) => Promise<boolean>;
  onError: (error: unknown) => void;
}

/** Who looks at a page. */
export interface Watcher {
  sessionHash: string;
  /** Whether they may know what things in snapshots are called. */
  names: boolean;
}

/** One stream of changes for all pages that are open. */
export interface EventStream {
  /** JSON of `ServerEvent`s for one page, until the signal aborts or its session ends. */
  open(who: Watcher, signal: AbortSignal): AsyncGenerator<string, void, void>;
  /** Pages that are open. */
  viewers(): number;
}

/**
 * Turns what rooms publish into what pages need. Everything is looked up once, however many pages are open; with none open
 * nothing is done at all.
 */
export function createEventStream(parts: EventsParts): EventStream {
  const { bus, clock, onError } = parts;
  const viewers = new Map<Viewer, Watcher>();
  let changes = noChanges();
  let gathering: Cancel | null = null;
  let sending = false;
  let endListening: (() => void) | null = null;

  const toAll = (act: (viewer: Viewer) => void) => {
    for (const viewer of viewers.keys()) act(viewer);
  };
  const gather = () => {
    gathering ??= sending ? null : clock.after(GATHER_MS, () => void send());
  };
  const send = async () => {
    gathering = null;
    sending = true;
    const now = changes;
    changes = noChanges();
    try {
      if (sizeOf(now) > MOST_AT_ONCE) toAll((viewer) => viewer.reload());
      else
        for (const event of await eventsOf(now, parts)) {
          const json = JSON.stringify(event);
          const discreet = discreetly(event);
          const nameless = discreet === event ? json : JSON.stringify(discreet);
          for (const [viewer, { names }] of viewers) viewer.push(names ? json : nameless);
        }
    } catch (error) {
      // What could not be looked up may be on a page, and old there.
      toAll((viewer) => viewer.reload());
      onError(error);
    }
    sending = false;
    if (viewers.size > 0 && !isEmpty(changes)) gather();
  };
  let checking: Promise<void> | null = null;
  const findDead = async () => {
    for (const [viewer, { sessionHash }] of viewers)
      if (!(await parts.isSessionAlive(sessionHash))) viewer.end();
  };
  const endDead = () => {
    checking ??= findDead()
      .catch(onError)
      .finally(() => (checking = null));
  };
  const listen = (): (() => void) => {
    const note = (change: () => void) => {
      change();
      gather();
    };
    const ends = [
      bus.subscribe("host.changed", ({ hostId }) => note(() => changes.hosts.add(hostId))),
      bus.subscribe("host.removed", ({ hostId }) => note(() => changes.removed.add(hostId))),
      bus.subscribe("job.changed", ({ jobId }) => note(() => changes.jobs.add(jobId))),
      bus.subscribe("job.progress", (event) => note(() => changes.progress.set(event.jobId, event))),
      bus.subscribe("snapshots.changed", ({ hostId }) => note(() => changes.snapshots.add(hostId))),
      bus.subscribe("schedules.changed", ({ hostId }) => note(() => changes.schedules.add(hostId))),
      bus.subscribe("enrollment.changed", (event) => note(() => changes.enrollments.add(event.enrollmentId))),
      bus.subscribe("store.changed", (event) => note(() => (changes.store = event))),
      bus.subscribe("bus.changed", (event) => note(() => (changes.bus = event))),
      bus.subscribe("bus.resync", () => toAll((viewer) => viewer.reload())),
      clock.every(SESSION_CHECK_MS, endDead),
    ];
    return () => {
      for (const end of ends) end();
      gathering?.();
      gathering = null;
      changes = noChanges();
    };
  };

  return {
    viewers: () => viewers.size,
    async *open(who, signal) {
      const ready = (): ServerEvent => ({
        type: "ready",
        server_time: instant(clock.now()),
        version: parts.version,
      });
      const viewer = createViewer(ready);
      endListening ??= listen();
      viewers.set(viewer, who);
      try {
        yield* viewer.read(signal);
      } finally {
        viewers.delete(viewer);
        if (viewers.size === 0) {
          endListening?.();
          endListening = null;
        }
      }
    },
  };
}

/** Progress comes before the job it belongs to: after "it has ended" nothing may say that it runs. */
async function eventsOf(changes: Changes, parts: EventsParts): Promise<ServerEvent[]> {
  const hosts = [...changes.hosts].filter((id) => !changes.removed.has(id));
  const rows = hosts.length === 0 ? [] : await parts.viewHosts(hosts);
  const jobs = changes.jobs.size === 0 ? [] : await parts.viewJobs([...changes.jobs]);
  const events: ServerEvent[] = [];
  for (const { jobId, hostId, kind, progress } of changes.progress.values())
    events.push({ type: "job.progress", job_id: jobId, host_id: hostId, kind, progress });
  for (const job of jobs) events.push({ type: "job.changed", job });
  for (const host of rows) events.push({ type: "host.changed", host });
  for (const id of changes.removed) events.push({ type: "host.removed", host_id: id });
  for (const id of changes.snapshots) events.push({ type: "snapshots.changed", host_id: id });
  for (const id of changes.schedules) events.push({ type: "schedules.changed", host_id: id });
  for (const id of changes.enrollments) events.push({ type: "enrollment.changed", enrollment_id: id });
  if (changes.store !== null) events.push({ type: "store.changed", ...changes.store });
  if (changes.bus !== null) events.push({ type: "bus.changed", cut_off: changes.bus.cutOff });
  return events;
}

/** The same for who may not know names of things in snapshots: itself when it has none. */
function discreetly(event: ServerEvent): ServerEvent {
  if (event.type === "job.changed" && tellsNames(event.job.kind))
    return { ...event, job: withoutNames(event.job) };
  if (event.type === "job.progress" && event.kind === "restore")
    return { ...event, progress: progressWithoutNames(event.progress) };
  return event;
}

function isEmpty(changes: Changes): boolean {
  return (
    sizeOf(changes) === 0 &&
    changes.progress.size === 0 &&
    changes.enrollments.size === 0 &&
    changes.store === null &&
    changes.bus === null
  );
}
