import { expect, test } from "bun:test";
import { CompiledQuery } from "kysely";
import { HOST_SORTS, HostRow, HostsQuery } from "@restic-manager/protocol/api/hosts";
import type { Database } from "../platform/db/schema.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { thrownBy } from "../testing/thrown.ts";
import { listHosts, viewHosts } from "./list.ts";
import { selectActiveJobs } from "./store.ts";

const noProgress = () => undefined;
const list = (db: Database, query: object = {}) => listHosts(db, HostsQuery.parse(query), NOON, noProgress);
const names = async (db: Database, query: object) => (await list(db, query)).items.map((host) => host.name);

/** Five hosts whose facts are in no order, two of them equal but for the name. */
async function fleet(db: Database) {
  await addHost(db, {
    name: "db-ber-01",
    status: "protected",
    status_rank: 7,
    last_backup_at: 30,
    snapshot_count: 3,
    protected_bytes: 1e13,
  });
  await addHost(db, {
    name: "DB-ams-02",
    status: "failed",
    status_rank: 0,
    last_backup_at: 10,
    os_name: "Ubuntu 24.04",
  });
  await addHost(db, {
    name: "web_1",
    status: "protected",
    status_rank: 7,
    snapshot_count: 9,
    last_success_at: NOON - 5,
  });
  await addHost(db, { name: "web-1", status: "protected", status_rank: 7, snapshot_count: 9 });
  await addHost(db, { name: "app", status: "offline", status_rank: 2, protected_bytes: 5 });
}

onEveryStore("the fleet's table", (open, kind) => {
  test.each([
    [{}, ["DB-ams-02", "app", "db-ber-01", "web-1", "web_1"]],
    [{ order: "desc" }, ["web_1", "web-1", "db-ber-01", "app", "DB-ams-02"]],
    [{ sort: "name" }, ["app", "DB-ams-02", "db-ber-01", "web-1", "web_1"]],
    [{ sort: "os", order: "desc" }, ["DB-ams-02", "web_1", "web-1", "db-ber-01", "app"]],
    [{ sort: "last_backup" }, ["app", "web-1", "web_1", "DB-ams-02", "db-ber-01"]],
    [{ sort: "protected", order: "desc" }, ["db-ber-01", "app", "web_1", "web-1", "DB-ams-02"]],
    [{ sort: "snapshots", order: "desc" }, ["web_1", "web-1", "db-ber-01", "DB-ams-02", "app"]],
    [{ search: "db-" }, ["DB-ams-02", "db-ber-01"]],
    [{ search: "WEB_" }, ["web_1"]],
    [{ search: "%" }, []],
    [{ search: "\\" }, []],
    [{ search: "'" }, []],
    [{ status: "protected", search: "web" }, ["web-1", "web_1"]],
    [{ backed_up: "24h" }, ["web_1"]],
  ])("by %j", async (query, expected) => {
    const db = await open();
    await fleet(db);
    expect(await names(db, query)).toEqual(expected);
  });

  test("counts what matches, and every status among what the search finds", async () => {
    const db = await open();
    await fleet(db);
    const counts = {
      failed: 0,
      restic: 0,
      offline: 0,
      issues: 0,
      running: 0,
      queued: 0,
      new: 0,
      protected: 0,
    };
    expect(await list(db, { status: "protected", search: "1", limit: 1 })).toMatchObject({
      total: 3,
      counts: { ...counts, protected: 3 },
    });
    expect(await list(db, { status: "failed" })).toMatchObject({
      total: 1,
      counts: { ...counts, failed: 1, offline: 1, protected: 3 },
    });
    expect((await list(db, { backed_up: "24h" })).total).toBe(1);
  });

  test("shows every host once, page by page, in every order", async () => {
    const db = await open();
    await fleet(db);
    for (const sort of HOST_SORTS)
      for (const order of ["asc", "desc"]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await list(db, { sort, order, limit: 2, cursor });
          seen.push(...page.items.map((host) => host.name));
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        expect(seen).toEqual(await names(db, { sort, order }));
        expect(seen).toHaveLength(5);
      }
  });

  test("refuses a cursor of another order, or none at all", async () => {
    const db = await open();
    await fleet(db);
    const cursor = (await list(db, { limit: 1 })).next_cursor ?? "";
    for (const query of [
      { sort: "name", cursor },
      { order: "desc", cursor },
      { cursor: "e30" },
      { cursor: "%%" },
    ])
      expect(await thrownBy(list(db, query))).toMatchObject({ code: "validation_failed" });
  });

  test("shows what runs, else what waits longest, with its progress", async () => {
    const db = await open();
    const busy = await addHost(db);
    const waiting = await addHost(db);
    await addJob(db, busy, "queued", { created_at: NOON - 2 });
    const running = await addJob(db, busy, "running", { created_at: NOON - 1 });
    await addJob(db, waiting, "queued", { created_at: NOON });
    const first = await addJob(db, waiting, "queued", { created_at: NOON - 1 });
    await addJob(db, waiting, "succeeded");
    const rows = await viewHosts(db, [busy, waiting], (id) =>
      id === running ? { fraction: 0.5 } : undefined,
    );
    const active = new Map(rows.map((row) => [row.id, HostRow.parse(row).active_job]));
    expect(active.get(busy)).toEqual({ id: running, kind: "backup", state: "running", fraction: 0.5 });
    expect(active.get(waiting)).toEqual({ id: first, kind: "backup", state: "queued", fraction: null });
    expect(await viewHosts(db, [], noProgress)).toEqual([]);
  });

  if (kind === "sqlite")
    test("does not read a host's past to find what runs there", async () => {
      const db = await open();
      const { sql, parameters } = selectActiveJobs(db, [await addHost(db), await addHost(db)]).compile();
      const plan = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
      const { rows } = await db.executeQuery(plan);
      expect(rows).toMatchObject([{ detail: "SEARCH jobs USING COVERING INDEX jobs_active (host_id=?)" }]);
    });
});
