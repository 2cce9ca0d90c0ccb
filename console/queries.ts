import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import type {
  HostsPage,
  HostsQuery,
  ListedSnapshot,
  SnapshotsPage,
} from "@restic-manager/protocol/api/hosts";
import type { ChangesPage } from "@restic-manager/protocol/api/diff";
import type { TreeFound } from "@restic-manager/protocol/api/tree";
import type { JobsPage, JobsQuery } from "@restic-manager/protocol/api/jobs";
import { ApiProblem } from "./api-problem.ts";
import { api } from "./api.ts";

/** What a list of hosts shows and in which order; its pages follow by cursor. */
export type HostList = Pick<HostsQuery, "sort" | "order"> &
  Partial<Pick<HostsQuery, "search" | "status" | "backed_up" | "tag">>;
/** What a list of jobs shows, newest first. */
export type JobList = Partial<Pick<JobsQuery, "host_id" | "kind" | "state">>;

/** Rows asked for at once. */
const HOSTS_A_PAGE = 200;
const JOBS_A_PAGE = 100;
const SNAPSHOTS_A_PAGE = 200;

/** What pages ask for, by name; the event stream patches the same entries (`live-patches.ts`). */
export const meQuery = queryOptions({ queryKey: ["me"], queryFn: api.me, staleTime: Infinity, retry: false });
export const setupStateQuery = queryOptions({ queryKey: ["setup"], queryFn: api.setupState, retry: false });

export const summaryQuery = queryOptions({ queryKey: ["fleet-summary"], queryFn: api.fleetSummary });
export const hostsQuery = (list: HostList) =>
  infiniteQueryOptions({
    queryKey: ["hosts", list] as const,
    queryFn: ({ pageParam }) =>
      api.hosts({ ...list, limit: HOSTS_A_PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: HostsPage) => last.next_cursor,
  });
export const hostQuery = (id: string) =>
  queryOptions({ queryKey: ["host", id] as const, queryFn: () => api.host(id) });
export const sourceGroupsQuery = (hostId: string) =>
  queryOptions({ queryKey: ["source-groups", hostId] as const, queryFn: () => api.sourceGroups(hostId) });
export const repositoryQuery = (hostId: string) =>
  queryOptions({ queryKey: ["repository", hostId] as const, queryFn: () => api.repository(hostId) });
export const schedulesQuery = (hostId: string) =>
  queryOptions({ queryKey: ["schedules", hostId] as const, queryFn: () => api.schedules(hostId) });
export const schedulePreviewQuery = (hostId: string, cron: string, timezone: string | null) =>
  queryOptions({
    queryKey: ["schedule-preview", hostId, cron, timezone] as const,
    queryFn: () => api.previewSchedule(hostId, { cron, timezone }),
    retry: false,
  });
export const snapshotsQuery = (hostId: string) =>
  infiniteQueryOptions({
    queryKey: ["snapshots", hostId] as const,
    queryFn: ({ pageParam }) =>
      api.snapshots(hostId, { limit: SNAPSHOTS_A_PAGE, cursor: pageParam ?? undefined }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: SnapshotsPage) => last.next_cursor,
  });
/** Every snapshot of a host, newest first: what is sorted, filtered and drawn by the page must all be there. */
export const allSnapshotsQuery = (hostId: string) =>
  queryOptions({
    // Below the list's own key, so that whatever makes that one old makes this one old.
    queryKey: ["snapshots", hostId, "all"] as const,
    queryFn: async () => {
      const items: ListedSnapshot[] = [];
      let page: SnapshotsPage;
      let cursor: string | undefined;
      do {
        // Each page says where the next one begins.
        // oxlint-disable-next-line no-await-in-loop
        page = await api.snapshots(hostId, { limit: 1_000, cursor });
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      return { items, taken_at: page.taken_at };
    },
  });
export const foundQuery = (hostId: string, snapshotId: string, q: string) =>
  infiniteQueryOptions({
    queryKey: ["found", hostId, snapshotId, q] as const,
    queryFn: ({ pageParam, signal }) =>
      api.searchTree(hostId, snapshotId, { q, cursor: pageParam ?? undefined }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last: TreeFound) => last.next_cursor,
    // What is in a snapshot never changes.
    staleTime: Infinity,
    retry: (times, error) =>
      error instanceof ApiProblem && error.code === "snapshot_indexing" ? times < 60 : false,
    retryDelay: 2_000,
  });
export const versionsQuery = (hostId: string, path: string) =>
  queryOptions({
    queryKey: ["versions", hostId, path] as const,
    queryFn: ({ signal }) => api.versions(hostId, path, signal),
    retry: false,
  });
export const restoresQuery = (hostId: string) =>
  queryOptions({
    queryKey: ["restores", hostId] as const,
    queryFn: () => api.restores(hostId, { limit: 6 }),
  });
export const restoreQuery = (hostId: string, jobId: string) =>
  queryOptions({
    queryKey: ["restore", hostId, jobId] as const,
    queryFn: () => api.restore(hostId, jobId),
    staleTime: Infinity,
  });
/** What a list of a comparison's changes shows. */
export interface ChangeList {
  kind?: string;
  q?: string;
  below?: string;
}
export const changesQuery = (jobId: string, list: ChangeList) =>
  infiniteQueryOptions({
    queryKey: ["changes", jobId, list] as const,
    queryFn: ({ pageParam }) =>
      api.changes(jobId, { ...list, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: ChangesPage) => last.next_cursor,
  });
export const jobsQuery = (list: JobList) =>
  infiniteQueryOptions({
    queryKey: ["jobs", list] as const,
    queryFn: ({ pageParam }) =>
      api.jobs({ ...list, limit: JOBS_A_PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) }),
    initialPageParam: null as string | null,
    getNextPageParam: (last: JobsPage) => last.next_cursor,
  });
export const jobQuery = (id: string) =>
  queryOptions({ queryKey: ["job", id] as const, queryFn: () => api.job(id) });
export const enrollmentQuery = (id: string) =>
  queryOptions({ queryKey: ["enrollment", id] as const, queryFn: () => api.enrollment(id) });
export const scheduleLoadQuery = queryOptions({
  queryKey: ["schedule-load"] as const,
  queryFn: api.scheduleLoad,
  // The picture of a day: a minute changes nothing of it.
  staleTime: 60_000,
});
export const tagsQuery = queryOptions({ queryKey: ["tags"] as const, queryFn: api.tags });
export const templatesQuery = queryOptions({ queryKey: ["templates"] as const, queryFn: api.templates });
export const templateQuery = (id: string) =>
  queryOptions({ queryKey: ["templates", id] as const, queryFn: () => api.template(id) });
export const templateHostsQuery = (id: string) =>
  queryOptions({ queryKey: ["templates", id, "hosts"] as const, queryFn: () => api.templateHosts(id) });
export const followingQuery = (hostId: string) =>
  queryOptions({ queryKey: ["following", hostId] as const, queryFn: () => api.following(hostId) });
