import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Role } from "@restic-manager/protocol/api/session";
import { ResticId, type HostId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import { addCredentials, addHost, NOON } from "../testing/rows.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

/** Whoever takes something out of a backup, or tries to, is in the record with what and where to. */

const SNAPSHOT = ResticId.parse("d".repeat(64));
let server: TestServer;
let host: HostId;

beforeAll(async () => {
  server = await startTestServer();
  const { db } = server.parts;
  host = await addHost(db, { name: "db1", online: 0 });
  await addCredentials(db, host);
  const body = {
    id: SNAPSHOT,
    time: instant(NOON),
    hostname: "db1",
    tags: [],
    paths: ["/srv"],
    paths_total: 1,
  };
  await db
    .insertInto("snapshots")
    .values({ host_id: host, id: SNAPSHOT, time: NOON, body: JSON.stringify(body) })
    .execute();
});
afterAll(() => server.stop());

async function recorded(work: () => Promise<void>) {
  const { db } = server.parts;
  const before = new Set((await db.selectFrom("audit").select("id").execute()).map(({ id }) => id));
  await work();
  const rows = await db.selectFrom("audit").selectAll().orderBy("id").execute();
  return rows
    .filter(({ id }) => !before.has(id))
    .map(({ action, actor_name, target_name, detail }) => ({
      action,
      // Accounts of tests are called after their role.
      actor_name: actor_name.replace(/-.*$/, ""),
      target_name,
      ...(JSON.parse(detail) as object),
    }));
}

const download = async (role: Role, query: string) =>
  (
    await server.ask(`/api/hosts/${host}/snapshots/${SNAPSHOT}/download?${query}`, {
      cookie: await server.signedInAs(role),
    })
  ).status;

const restore = async (role: Role, wish: object) =>
  (
    await server.ask(`/api/hosts/${host}/restore`, {
      cookie: await server.signedInAs(role),
      json: { snapshot_id: SNAPSHOT, paths: ["/srv/a"], when_offline: "wait", ...wish },
    })
  ).status;

test("every download that may be tried is recorded, also one that comes to nothing; a viewer's try is refused", async () => {
  const of = { action: "file.downloaded", target_name: "db1", snapshot_id: SNAPSHOT };
  const rows = await recorded(async () => {
    // The machine is away.
    expect(await download("operator", "path=%2Fsrv%2Fa&as=file")).toBe(503);
    expect(await download("admin", "path=%2Fsrv&as=zip")).toBe(503);
    expect(await download("viewer", "path=%2Fsrv%2Fa&as=file")).toBe(403);
  });
  expect(rows).toMatchObject([
    { ...of, actor_name: "operator", path: "/srv/a", as: "file" },
    { ...of, actor_name: "admin", path: "/srv", as: "zip" },
  ]);
  expect(rows).toHaveLength(2);
});

test("a restore's record tells how many paths there were, the first 20, and whether it was verified", async () => {
  const paths = Array.from({ length: 25 }, (_, n) => `/srv/f${String(n).padStart(2, "0")}`);
  const rows = await recorded(async () => {
    expect(await restore("operator", { paths, verify: true })).toBe(201);
    expect(await restore("operator", { verify: false })).toBe(201);
  });
  const named = paths
    .slice(0, 20)
    .map((path) => `"${path}"`)
    .join(" ");
  expect(rows).toMatchObject([
    { path_count: 25, paths: named, verify: true },
    { path_count: 1, verify: false },
  ]);
});

test("every restore and every preview of one is recorded with its paths and its target", async () => {
  const rows = await recorded(async () => {
    expect(await restore("operator", {})).toBe(201);
    expect(await restore("operator", { target: { kind: "folder", path: "/mnt/x" } })).toBe(201);
    expect(await restore("admin", { target: { kind: "in_place" }, confirm_host: "db1" })).toBe(201);
    expect(await restore("admin", { paths: ["/srv/a", "/srv/b"], dry_run: true })).toBe(201);
    // What does not begin is not recorded as if it had.
    expect(await restore("operator", { when_offline: "refuse" })).toBe(503);
    expect(await restore("operator", { target: { kind: "in_place" } })).toBe(422);
    expect(await restore("viewer", {})).toBe(403);
  });
  const of = { action: "host.restore", target_name: "db1", snapshot_id: SNAPSHOT };
  expect(rows).toMatchObject([
    { ...of, actor_name: "operator", paths: '"/srv/a"', target: "a new folder", dry_run: false },
    { ...of, actor_name: "operator", target: "/mnt/x" },
    { ...of, actor_name: "admin", target: "in place" },
    { ...of, actor_name: "admin", paths: '"/srv/a" "/srv/b"', path_count: 2, dry_run: true },
  ]);
  expect(rows).toHaveLength(4);
});
