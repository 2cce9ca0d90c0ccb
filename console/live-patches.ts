import type { InfiniteData } from "@tanstack/react-query";
import type { ServerEvent } from "@restic-manager/protocol/api/events";
import type { Host, HostRow, HostsPage } from "@restic-manager/protocol/api/hosts";
import type { Job, JobsPage } from "@restic-manager/protocol/api/jobs";
import type { HostList, JobList } from "./queries.ts";
import { hostStatuses } from "./ui/state-words.ts";

/** How one event changes what was asked for before. Every function leaves alone what it is given and answers what is true now. */

type Progress = Extract<ServerEvent, { type: "job.progress" }>;
type HostPages = InfiniteData<HostsPage, string | null>;
type JobPages = InfiniteData<JobsPage, string | null>;

/** Whether a host belongs into a list; undefined where only the server can tell. */
export function belongs(host: HostRow, list: HostList, now: number): boolean | undefined {
  if (list.search !== undefined && !host.name.toLowerCase().includes(list.search.toLowerCase())) return false;
  if (list.tag !== undefined && host.tags?.includes(list.tag) !== true) return false;
  if (list.status !== undefined && host.status !== list.status) return false;
  if (list.backed_up === undefined) return true;
  const last = host.last_backup;
  if (last === null) return false;
  // A failure after a success does not undo the success, which the row does not tell.
  return last.state === "succeeded" ? now - Date.parse(last.finished_at) < DAY_MS : undefined;
}
const DAY_MS = 24 * 3_600_000;

/** The server's order (server/hosts/store.ts): a host without the fact comes before those that have it. */
export function compareHosts({ sort, order }: Pick<HostList, "sort" | "order">) {
  const keyOf: Record<HostList["sort"], (host: HostRow) => string | number> = {
    status: (host) => hostStatuses.indexOf(host.status),
    name: (host) => host.name.toLowerCase(),
    os: (host) => host.os_name,
    last_backup: (host) => (host.last_backup === null ? -1 : Date.parse(host.last_backup.finished_at)),
    protected: (host) => host.protected_bytes ?? -1,
    snapshots: (host) => host.snapshot_count,
  };
  const key = keyOf[sort];
  const sign = order === "asc" ? 1 : -1;
  const less = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);
  return (a: HostRow, b: HostRow): number => {
    const [of, than] = [key(a), key(b)];
    const first =
      typeof of === "number" && typeof than === "number" ? less(of, than) : less(String(of), String(than));
    return sign * (first === 0 ? less(a.name.toLowerCase(), b.name.toLowerCase()) : first);
  };
}

/**
 * A list with a host's new row at its place: moved, entered or left. A place after the last row that is loaded is the
 * next page's business. `now` in ms since 1970.
 */
export function patchHosts(pages: HostPages, list: HostList, host: HostRow, now: number): HostPages {
  const before = find(pages.pages, host.id);
  const verdict = belongs(host, list, now);
  const stays = verdict ?? before !== undefined;
  if (before === undefined && !stays) return pages;
  const compare = compareHosts(list);
  const last = pages.pages.at(-1);
  const open = last !== undefined && last.next_cursor !== null;
  if (before !== undefined && stays && compare(before, host) === 0) {
    return recount(
      mapRows(pages, (row) => (row.id === host.id ? host : row)),
      before,
      host,
    );
  }
  const without = before === undefined ? pages.pages : drop(pages.pages, host.id);
  // A row that was not loaded and is not the list's end may have been among the rest before.
  const change = before === undefined ? (open ? 0 : 1) : stays ? 0 : -1;
  const placed = stays ? insert(without, host, compare, open) : without;
  const counted = placed.map((page) => ({ ...page, total: Math.max(0, page.total + change) }));
  return recount({ ...pages, pages: counted }, before, host);
}

/** The chips' figures: the row's old status loses one, its new one gains one. */
function recount(pages: HostPages, before: HostRow | undefined, host: HostRow): HostPages {
  if (before === undefined || before.status === host.status) return pages;
  return {
    ...pages,
    pages: pages.pages.map((page) => ({
      ...page,
      counts: {
        ...page.counts,
        [before.status]: Math.max(0, page.counts[before.status] - 1),
        [host.status]: page.counts[host.status] + 1,
      },
    })),
  };
}

export function removeHost(pages: HostPages, id: string): HostPages {
  const before = find(pages.pages, id);
  if (before === undefined) return pages;
  return {
    ...pages,
    pages: drop(pages.pages, id).map((page) => ({
      ...page,
      total: Math.max(0, page.total - 1),
      counts: { ...page.counts, [before.status]: Math.max(0, page.counts[before.status] - 1) },
    })),
  };
}

/** A host's page with its row's news; what the row does not carry is asked for again by `live.ts`. */
export function patchHost(host: Host, row: HostRow): Host {
  return { ...host, ...row };
}

/** How far a host's job is, in its row; the same row when it is another job's. */
export function progressOfRow<Row extends HostRow>(row: Row, { job_id, progress }: Progress): Row {
  if (row.active_job?.id !== job_id) return row;
  const fraction = progress["fraction"];
  return {
    ...row,
    active_job: {
      ...row.active_job,
      state: "running",
      fraction: typeof fraction === "number" ? fraction : null,
    },
  };
}

export function patchHostsProgress(pages: HostPages, event: Progress): HostPages {
  const row = find(pages.pages, event.host_id);
  if (row?.active_job?.id !== event.job_id) return pages;
  return mapRows(pages, (each) => (each.id === event.host_id ? progressOfRow(each, event) : each));
}

/** The newer of two views of a job: one that has ended never runs again, one that runs is never queued again. */
export function newerJob(known: Job | undefined, fresh: Job): Job {
  return known !== undefined && STEP[known.state] > STEP[fresh.state] ? known : fresh;
}
const STEP: Record<Job["state"], number> = { queued: 0, running: 1, succeeded: 2, failed: 2, cancelled: 2 };

/** Whether a job belongs into a list. */
export function jobBelongs(job: Job, { host_id, kind, state }: JobList): boolean {
  if (host_id !== undefined && job.host.id !== host_id) return false;
  if (kind !== undefined && job.kind !== kind) return false;
  const active = STEP[job.state] < STEP.failed;
  if (state === undefined) return true;
  if (state === "active") return active;
  if (state === "finished") return !active;
  if (state === "issues")
    return job.state === "succeeded" && "issue_count" in job.result && job.result.issue_count > 0;
  return job.state === state;
}

/** A list of jobs, newest first, with this job's news. */
export function patchJobs(pages: JobPages, list: JobList, job: Job): JobPages {
  const before = find(pages.pages, job.id);
  const fresh = newerJob(before, job);
  const stays = jobBelongs(fresh, list);
  if (before !== undefined) {
    if (stays) return mapRows(pages, (row) => (row.id === job.id ? fresh : row));
    return { ...pages, pages: drop(pages.pages, job.id) };
  }
  if (!stays) return pages;
  const open = pages.pages.at(-1)?.next_cursor !== null;
  return { ...pages, pages: insert(pages.pages, fresh, newestFirst, open) };
}

function newestFirst(a: Job, b: Job): number {
  const apart = Date.parse(b.created_at) - Date.parse(a.created_at);
  return apart === 0 ? (a.id < b.id ? 1 : -1) : apart;
}

/** A running job with its newest progress; a job that is not running, or of another kind, as it was. */
export function patchProgress(job: Job, { job_id, kind, progress }: Progress): Job {
  if (job.id !== job_id || job.state !== "running" || job.kind !== kind) return job;
  // The event's progress is of the kind it names, which the compiler cannot follow.
  return { ...job, progress } as Job;
}

export function patchJobsProgress(pages: JobPages, event: Progress): JobPages {
  if (find(pages.pages, event.job_id) === undefined) return pages;
  return mapRows(pages, (job) => patchProgress(job, event));
}

interface PageOf<Row> {
  items: Row[];
}

function find<Row extends { id: string }>(pages: readonly PageOf<Row>[], id: string): Row | undefined {
  for (const { items } of pages) {
    const row = items.find((item) => item.id === id);
    if (row !== undefined) return row;
  }
  return undefined;
}

function drop<Page extends PageOf<{ id: string }>>(pages: readonly Page[], id: string): Page[] {
  return pages.map((page) =>
    page.items.some((row) => row.id === id)
      ? { ...page, items: page.items.filter((row) => row.id !== id) }
      : page,
  );
}

/** Before the first row that comes after it; with more rows at the server, a place after all that is loaded is left to them. */
function insert<Row, Page extends PageOf<Row>>(
  pages: readonly Page[],
  row: Row,
  compare: (a: Row, b: Row) => number,
  open: boolean,
): Page[] {
  let placed = false;
  const next = pages.map((page, index) => {
    if (placed) return page;
    const at = page.items.findIndex((item) => compare(row, item) < 0);
    const end = index === pages.length - 1;
    if (at < 0 && (!end || open)) return page;
    placed = true;
    const items = [...page.items];
    items.splice(at < 0 ? items.length : at, 0, row);
    return { ...page, items };
  });
  return next;
}

function mapRows<Page extends PageOf<unknown>>(
  pages: InfiniteData<Page, string | null>,
  change: (row: Page["items"][number]) => Page["items"][number],
): InfiniteData<Page, string | null> {
  return {
    ...pages,
    pages: pages.pages.map((page) => {
      let touched = false;
      const items = page.items.map((row) => {
        const changed = change(row);
        if (changed !== row) touched = true;
        return changed;
      });
      return touched ? { ...page, items } : page;
    }),
  };
}
