import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState, useSyncExternalStore } from "react";
import type { ServerEvent } from "@restic-manager/protocol/api/events";
import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import type { Job, JobsPage } from "@restic-manager/protocol/api/jobs";
import { api } from "./api.ts";
import { asProblem } from "./api-problem.ts";
import {
  newerJob,
  patchHost,
  patchHosts,
  patchHostsProgress,
  patchJobs,
  patchJobsProgress,
  patchProgress,
  progressOfRow,
  removeHost,
} from "./live-patches.ts";
import {
  followingQuery,
  hostQuery,
  repositoryQuery,
  jobQuery,
  restoresQuery,
  schedulesQuery,
  sourceGroupsQuery,
  summaryQuery,
  templatesQuery,
  type HostList,
  type JobList,
} from "./queries.ts";
import type { LiveState } from "./shell/live-mark.tsx";

/** Reconnects after this, then twice as late each time, up to the most; half of it is chance, against stampedes. */
const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 30_000;
/** Figures that no event carries are asked for again at most this often. */
const FIGURES_EVERY_MS = 2_000;
/** As many events are kept for answers that were under way when they came. */
const REMEMBERED = 2_000;

/** The roots of what the stream keeps current; `ready` asks again for those that are shown. */
const LIVE_ROOTS = new Set<unknown>([
  "fleet-summary",
  "hosts",
  "host",
  "source-groups",
  "schedules",
  "snapshots",
  "jobs",
  "job",
  "restores",
  "enrollment",
  "repository",
  "templates",
  "following",
]);

/** The one stream of changes. */
export interface Live {
  state: () => LiveState;
  subscribe: (onChange: () => void) => () => void;
  /** Connects, and calls back when the session is over; answers how to end it. */
  start: (onSignedOut: () => void) => () => void;
}

/** Follows `/api/events` and changes what was asked for before in place. `now` in ms since 1970. */
export function createLive(queryClient: QueryClient, now: () => number): Live {
  const listeners = new Set<() => void>();
  let state: LiveState = { state: "connecting" };
  const become = (next: LiveState) => {
    state = next;
    for (const listener of listeners) listener();
  };

  function start(onSignedOut: () => void) {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    let ended = false;
    const changes = applyTo(queryClient, now);
    const connect = () => {
      source = new EventSource("/api/events");
      source.addEventListener("message", ({ data }) => {
        // The server's own words, as the protocol says; see `ask` in api.ts.
        const event = JSON.parse(String(data)) as ServerEvent;
        if (event.type === "ready") {
          failures = 0;
          become({ state: "live" });
        }
        changes.take(event);
      });
      source.addEventListener("error", () => void lost());
    };
    const lost = async () => {
      source?.close();
      source = null;
      if (state.state === "live") become({ state: "reconnecting", since: now() });
      const wait = Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
      failures += 1;
      // An event source does not tell why it was refused, so a plain question does.
      const refused = await api.me().then(
        () => false,
        (error: unknown) => asProblem(error).status === 401,
      );
      if (ended) return;
      if (refused) onSignedOut();
      else retry = setTimeout(connect, wait * (0.5 + Math.random() / 2));
    };
    const hurry = () => {
      if (source !== null) return;
      clearTimeout(retry);
      failures = 0;
      connect();
    };
    addEventListener("online", hurry);
    connect();
    return () => {
      ended = true;
      removeEventListener("online", hurry);
      clearTimeout(retry);
      source?.close();
      changes.end();
      state = { state: "connecting" };
    };
  }

  return {
    state: () => state,
    subscribe(onChange) {
      listeners.add(onChange);
      return () => listeners.delete(onChange);
    },
    start,
  };
}

/** Whether the page follows the server; connects while the component lives. */
export function useLive(queryClient: QueryClient, onSignedOut: () => void): LiveState {
  const signedOut = useEffectEvent(onSignedOut);
  const [live] = useState(() => createLive(queryClient, () => Date.now()));
  useEffect(() => live.start(() => signedOut()), [live]);
  return useSyncExternalStore(live.subscribe, live.state);
}

/** What events do to what was asked for before. */
function applyTo(queryClient: QueryClient, now: () => number) {
  let figures: ReturnType<typeof setTimeout> | undefined;
  const stale = new Set<string>();
  let recent: ServerEvent[] = [];
  /** Answers under way, each with the number of events there were when it was asked for. */
  const underWay = new Map<string, number>();

  // An answer that was under way when an event came may be older than the event: the event is applied to it once more.
  const unsubscribe = queryClient.getQueryCache().subscribe((note) => {
    if (note.type !== "updated" || !LIVE_ROOTS.has(note.query.queryKey[0])) return;
    const { queryHash } = note.query;
    if (note.action.type === "fetch") underWay.set(queryHash, recent.length);
    const ended = note.action.type === "error" || (note.action.type === "success" && !note.action.manual);
    if (!ended) return;
    const missed = recent.slice(underWay.get(queryHash) ?? recent.length);
    underWay.delete(queryHash);
    if (underWay.size === 0) recent = [];
    for (const event of missed) patch(queryClient, event, now());
  });

  const askLater = (key: readonly unknown[]) => {
    // A busy fleet changes thousands of hosts of which no page shows anything.
    if (queryClient.getQueryState(key) === undefined) return;
    stale.add(JSON.stringify(key));
    figures ??= setTimeout(() => {
      figures = undefined;
      const keys = [...stale].map((text) => JSON.parse(text) as unknown[]);
      stale.clear();
      for (const queryKey of keys) void queryClient.invalidateQueries({ queryKey, exact: true });
    }, FIGURES_EVERY_MS);
  };

  function take(event: ServerEvent) {
    if (underWay.size > 0) recent.push(event);
    if (recent.length > REMEMBERED) {
      recent = [];
      underWay.clear();
    }
    patch(queryClient, event, now());
    switch (event.type) {
      case "ready":
        void queryClient.invalidateQueries({ predicate: ({ queryKey }) => LIVE_ROOTS.has(queryKey[0]) });
        break;
      case "host.changed":
        askLater(summaryQuery.queryKey);
        askLater(hostQuery(event.host.id).queryKey);
        askLater(repositoryQuery(event.host.id).queryKey);
        // Whether its agent has the newest, and when the next fires.
        askLater(schedulesQuery(event.host.id).queryKey);
        break;
      case "job.changed":
        askLater(schedulesQuery(event.job.host.id).queryKey);
        askLater(repositoryQuery(event.job.host.id).queryKey);
        askLater(summaryQuery.queryKey);
        if (event.job.kind === "restore") askLater(restoresQuery(event.job.host.id).queryKey);
        break;
      case "host.removed":
        askLater(summaryQuery.queryKey);
        break;
      case "snapshots.changed":
        void queryClient.invalidateQueries({ queryKey: ["snapshots", event.host_id] });
        askLater(hostQuery(event.host_id).queryKey);
        askLater(repositoryQuery(event.host_id).queryKey);
        break;
      case "schedules.changed":
        void queryClient.invalidateQueries({ queryKey: schedulesQuery(event.host_id).queryKey });
        void queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(event.host_id).queryKey });
        void queryClient.invalidateQueries({ queryKey: followingQuery(event.host_id).queryKey });
        askLater(templatesQuery.queryKey);
        break;
      case "enrollment.changed":
        void queryClient.invalidateQueries({ queryKey: ["enrollment", event.enrollment_id] });
        break;
      case "store.changed":
      case "bus.changed":
      case "job.progress":
        break;
    }
  }
  return {
    take,
    end() {
      unsubscribe();
      clearTimeout(figures);
    },
  };
}

type HostPages = InfiniteData<HostsPage, string | null>;
type JobPages = InfiniteData<JobsPage, string | null>;

/** Puts one event into everything that was asked for. `now` in ms since 1970. */
export function patch(queryClient: QueryClient, event: ServerEvent, now: number): void {
  const eachList = <Pages, List>(root: string, change: (pages: Pages, list: List) => Pages) => {
    for (const [key, pages] of queryClient.getQueriesData<Pages>({ queryKey: [root] })) {
      // The key's second part is what `queries.ts` made it from.
      if (pages !== undefined) queryClient.setQueryData<Pages>(key, change(pages, key[1] as List));
    }
  };
  const change = <Data>(key: readonly unknown[], by: (data: Data) => Data) => {
    queryClient.setQueryData<Data>(key, (data) => (data === undefined ? undefined : by(data)));
  };
  switch (event.type) {
    case "host.changed":
      eachList<HostPages, HostList>("hosts", (pages, list) => patchHosts(pages, list, event.host, now));
      change<Host>(hostQuery(event.host.id).queryKey, (host) => patchHost(host, event.host));
      break;
    case "host.removed":
      eachList<HostPages, HostList>("hosts", (pages) => removeHost(pages, event.host_id));
      break;
    case "job.changed":
      eachList<JobPages, JobList>("jobs", (pages, list) => patchJobs(pages, list, event.job));
      change<Job>(jobQuery(event.job.id).queryKey, (job) => newerJob(job, event.job));
      break;
    case "job.progress":
      eachList<HostPages, HostList>("hosts", (pages) => patchHostsProgress(pages, event));
      eachList<JobPages, JobList>("jobs", (pages) => patchJobsProgress(pages, event));
      change<Host>(hostQuery(event.host_id).queryKey, (host) => progressOfRow(host, event));
      change<Job>(jobQuery(event.job_id).queryKey, (job) => patchProgress(job, event));
      break;
    case "store.changed":
      change<FleetSummary>(summaryQuery.queryKey, (summary) => ({
        ...summary,
        store: event.failing
          ? {
              state: "failing",
              since: summary.store.state === "failing" ? summary.store.since : new Date(now).toISOString(),
              message: event.message ?? "The server cannot write to its store.",
            }
          : { state: "ok" },
      }));
      break;
    case "bus.changed":
      change<FleetSummary>(summaryQuery.queryKey, ({ cut_off, ...summary }) => ({
        ...summary,
        ...(event.cut_off ? { cut_off: cut_off ?? { since: new Date(now).toISOString() } } : {}),
      }));
      break;
    case "ready":
    case "snapshots.changed":
    case "schedules.changed":
    case "enrollment.changed":
      break;
  }
}
