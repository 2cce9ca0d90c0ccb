import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { HostRow, HostsPage } from "@restic-manager/protocol/api/hosts";
import { HostRow as HostRowShape } from "@restic-manager/protocol/api/hosts";
import { Job } from "@restic-manager/protocol/api/jobs";
import {
  belongs,
  compareHosts,
  newerJob,
  patchHosts,
  patchHostsProgress,
  patchJobs,
  patchProgress,
  removeHost,
} from "./live-patches.ts";
import type { HostList } from "./queries.ts";
import { hostStatuses } from "./ui/state-words.ts";

const NOW = Date.UTC(2026, 10, 21, 8, 42);
const ulid = (index: number) => `01HZZZZZZZ${String(index).padStart(16, "0")}`;

function host(index: number, more: Partial<HostRow> = {}): HostRow {
  return HostRowShape.parse({
    id: ulid(index),
    name: `host-${index}`,
    status: "protected",
    os: "linux",
    os_name: "Debian 12",
    arch: "x64",
    online: true,
    last_seen_at: null,
    agent_version: null,
    last_backup: null,
    active_job: null,
    protected_bytes: null,
    stored_bytes: null,
    snapshot_count: 0,
    created_at: "2026-11-01T00:00:00Z",
    ...more,
  });
}

const ended = (state: "succeeded" | "failed", hoursAgo: number) =>
  ({
    job_id: ulid(9),
    state,
    finished_at: new Date(NOW - hoursAgo * 3_600_000).toISOString(),
    duration_ms: 1,
    issue_count: 0,
    error: null,
  }) as unknown as NonNullable<HostRow["last_backup"]>;

const counts = (rows: readonly HostRow[]) =>
  Object.fromEntries(
    hostStatuses.map((status) => [status, rows.filter((row) => row.status === status).length]),
  ) as HostsPage["counts"];

/** What the server would answer, in pages of three, of which `loaded` are loaded. */
function listed(rows: readonly HostRow[], list: HostList, loaded = Infinity) {
  const found = rows.filter((row) => belongs(row, list, NOW)).toSorted(compareHosts(list));
  const searched = rows.filter((row) => row.name.includes(list.search ?? ""));
  const pages: HostsPage[] = [];
  for (let at = 0; at === 0 || (at < found.length && pages.length < loaded); at += 3) {
    const next_cursor = at + 3 < found.length ? String(at) : null;
    pages.push({
      items: found.slice(at, at + 3),
      next_cursor,
      total: found.length,
      counts: counts(searched),
    });
  }
  return { pages, pageParams: pages.map(() => null) };
}

const names = (pages: { pages: { items: { name: string }[] }[] }) =>
  pages.pages.flatMap(({ items }) => items.map(({ name }) => name));

describe("a list of hosts", () => {
  const rowOf = (index: number) =>
    fc
      .record({
        status: fc.constantFrom(...hostStatuses),
        protected_bytes: fc.option(fc.integer({ min: 0, max: 3 })),
        snapshot_count: fc.integer({ min: 0, max: 3 }),
        last_backup: fc.option(fc.constantFrom(ended("succeeded", 2), ended("succeeded", 7))),
      })
      .map((more) => host(index, more));
  const anyList: fc.Arbitrary<HostList> = fc.record(
    {
      sort: fc.constantFrom("status", "name", "os", "last_backup", "protected", "snapshots"),
      order: fc.constantFrom("asc", "desc"),
      status: fc.constantFrom(...hostStatuses),
      search: fc.constantFrom("1", "host", "nothing"),
    },
    { requiredKeys: ["sort", "order"] },
  );

  test("is after a change what the server would answer, whatever the filter and the order", () => {
    fc.assert(
      fc.property(
        fc.tuple(...Array.from({ length: 12 }, (_, index) => rowOf(index))),
        fc.nat(11).chain(rowOf),
        anyList,
        (rows, changed, list) => {
          const after = rows.map((row) => (row.id === changed.id ? changed : row));
          const patched = patchHosts(listed(rows, list), list, changed, NOW);
          const expected = listed(after, list);
          expect(names(patched)).toEqual(names(expected));
          expect(patched.pages[0]?.total).toBe(expected.pages[0]?.total ?? 0);
        },
      ),
    );
  });

  test("never shows a row twice and keeps its order when only its beginning is loaded", () => {
    fc.assert(
      fc.property(
        fc.tuple(...Array.from({ length: 12 }, (_, index) => rowOf(index))),
        fc.nat(11).chain(rowOf),
        anyList,
        (rows, changed, list) => {
          const { pages } = patchHosts(listed(rows, list, 2), list, changed, NOW);
          const shown = pages.flatMap(({ items }) => items);
          expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
          expect(shown).toEqual(shown.toSorted(compareHosts(list)));
        },
      ),
    );
  });

  test("counts a row under its new status", () => {
    const list: HostList = { sort: "name", order: "asc" };
    const before = listed([host(1), host(2, { status: "running" })], list);
    const after = patchHosts(before, list, host(2, { status: "failed" }), NOW);
    expect(after.pages[0]?.counts).toEqual(counts([host(1), host(2, { status: "failed" })]));
  });

  test("leaves it to the server whether a host whose last backup failed had a success before", () => {
    const list: HostList = { sort: "name", order: "asc", backed_up: "24h" };
    expect(belongs(host(1, { last_backup: ended("failed", 1) }), list, NOW)).toBeUndefined();
    expect(belongs(host(1, { last_backup: ended("succeeded", 30) }), list, NOW)).toBe(false);
    const before = listed([host(1, { last_backup: ended("succeeded", 3) })], list);
    const failed = host(1, { status: "failed", last_backup: ended("failed", 0) });
    expect(names(patchHosts(before, list, failed, NOW))).toEqual(["host-1"]);
  });

  test("loses a host that was removed, and its count", () => {
    const list: HostList = { sort: "name", order: "asc" };
    const after = removeHost(listed([host(1), host(2)], list), ulid(1));
    expect(names(after)).toEqual(["host-2"]);
    expect(after.pages[0]?.total).toBe(1);
    expect(after.pages[0]?.counts.protected).toBe(1);
  });

  test("takes the progress of the job it shows and of no other", () => {
    const list: HostList = { sort: "name", order: "asc" };
    const active = { id: ulid(5), kind: "backup", state: "running", fraction: 0.1 } as HostRow["active_job"];
    const pages = listed([host(1, { active_job: active })], list);
    const event = (job: string) => ({
      type: "job.progress" as const,
      job_id: job as Job["id"],
      host_id: host(1).id,
      kind: "backup" as const,
      progress: { fraction: 0.5 },
    });
    expect(patchHostsProgress(pages, event(ulid(6)))).toBe(pages);
    expect(patchHostsProgress(pages, event(ulid(5))).pages[0]?.items[0]?.active_job?.fraction).toBe(0.5);
  });
});

describe("a list of jobs", () => {
  const job = (index: number, more: Record<string, unknown>) =>
    Job.parse({
      id: ulid(index),
      kind: "init",
      host: { id: ulid(1), name: "host-1" },
      actor: { kind: "user", name: "admin" },
      source_group: null,
      created_at: new Date(NOW + index * 1000).toISOString(),
      cancel_requested_at: null,
      log: { lines: 0, missing: 0 },
      ...more,
    });
  const queued = (index: number) => job(index, { state: "queued", waits_for: "turn" });
  const at = new Date(NOW).toISOString();
  const running = (index: number) => job(index, { state: "running", started_at: at, progress: null });
  const failed = (index: number) =>
    job(index, {
      state: "failed",
      started_at: at,
      finished_at: at,
      error: { code: "failed", message: "restic failed" },
    });
  type Pages = Parameters<typeof patchJobs>[0];
  const pagesOf = (...items: Job[]): Pages => ({
    pages: [{ items, next_cursor: null }],
    pageParams: [null],
  });
  const shown = (pages: Pages) =>
    pages.pages.flatMap(({ items }) => items.map(({ id, state }) => `${Number(id.slice(-4))} ${state}`));

  test("begins with the newest", () => {
    const pages = patchJobs(pagesOf(queued(3), queued(1)), {}, queued(2));
    expect(shown(pages)).toEqual(["3 queued", "2 queued", "1 queued"]);
  });

  test("loses a job that no longer belongs into it", () => {
    expect(shown(patchJobs(pagesOf(running(1)), { state: "active" }, failed(1)))).toEqual([]);
    expect(shown(patchJobs(pagesOf(), { state: "failed" }, failed(1)))).toEqual(["1 failed"]);
  });

  test("a job that has ended does not run again because an old event came late", () => {
    expect(newerJob(failed(1), running(1)).state).toBe("failed");
    expect(shown(patchJobs(pagesOf(failed(1)), {}, running(1)))).toEqual(["1 failed"]);
    const progress = { type: "job.progress", job_id: failed(1).id, host_id: failed(1).host.id } as const;
    expect(patchProgress(failed(1), { ...progress, kind: "init", progress: {} }).state).toBe("failed");
  });
});
