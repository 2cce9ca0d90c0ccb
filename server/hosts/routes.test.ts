import { expect, test } from "bun:test";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import type { Database } from "../platform/db/schema.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addCredentials, addHost, addJob, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { hostsRoom } from "./routes.ts";

function hosts(db: Database) {
  const parts = testParts(db);
  const room = hostsRoom({
    ...parts,
    progressOf: () => ({ fraction: 0.25 }),
    partsOf: () =>
      Promise.resolve({ repository: { state: "no_credentials" }, credentials: null, stats: null }),
    nextRuns: async () => new Map(),
    storeState: () => ({ state: "ok" }),
  });
  return { ...parts, as: (role: "viewer" | "operator" | "admin") => callRoom(room, role) };
}

onEveryStore("the hosts' routes", (open) => {
  test("answer in the shapes of the API", async () => {
    const db = await open();
    const call = hosts(db).as("viewer");
    const id = await addHost(db, {
      link_problem: JSON.stringify({ code: "clone", message: "two machines", at: NOON }),
      connected_since: NOON,
    });
    const job = await addJob(db, id, "running");
    const host = await call("GET", `/api/hosts/${id}`);
    expect(Host.parse(host.body)).toEqual(host.body as never);
    expect(host.body).toMatchObject({
      active_job: { id: job, state: "running", fraction: 0.25 },
      restic: { state: "ok", version: "0.18.0" },
      link_problem: { code: "clone", message: "two machines" },
      connected_since: "2026-11-21T12:00:00.000Z",
    });
    expect(JSON.stringify(host.body)).not.toContain("bearer");
    const page = await call("GET", "/api/hosts?sort=name&limit=1");
    expect(HostsPage.parse(page.body)).toEqual(page.body as never);
    const summary = await call("GET", "/api/fleet/summary");
    expect(FleetSummary.parse(summary.body)).toEqual(summary.body as never);
  });

  test("refuse what makes no sense, naming the field", async () => {
    const { as } = hosts(await open());
    for (const [query, field] of [
      ["limit=0", "limit"],
      ["limit=-1", "limit"],
      ["limit=9999", "limit"],
      ["sort=size", "sort"],
      ["status=fine", "status"],
      ["colour=red", "colour"],
      ["cursor=abc", "cursor"],
      [`search=${"x".repeat(300)}`, "search"],
    ]) {
      const refused = await as("viewer")("GET", `/api/hosts?${query}`);
      expect(refused).toMatchObject({
        status: 422,
        body: { fields: { [field ?? ""]: expect.any(String) as string } },
      });
    }
    expect((await as("viewer")("GET", `/api/hosts/${newHostId()}`)).status).toBe(404);
    expect((await as("viewer")("GET", "/api/hosts/01")).status).toBe(422);
  });

  test("rename a host, unless another has the name in whatever case", async () => {
    const db = await open();
    const { as, published } = hosts(db);
    const call = as("operator");
    const id = await addHost(db, { name: "a" });
    await addHost(db, { name: "B" });
    expect((await call("PATCH", `/api/hosts/${id}`, { name: "A2" })).body).toMatchObject({
      name: "A2",
      config: { version: 1 },
    });
    expect(published.map(([topic]) => topic)).toEqual(["host.changed"]);
    expect((await call("PATCH", `/api/hosts/${id}`, { name: "A2" })).status).toBe(200);
    expect(await call("PATCH", `/api/hosts/${id}`, { name: "b" })).toMatchObject({
      status: 409,
      body: { code: "name_taken" },
    });
    for (const name of ["", "a b", "-a", "x".repeat(1_000_000)])
      expect((await call("PATCH", `/api/hosts/${id}`, { name })).status).toBe(422);
    expect((await call("PATCH", `/api/hosts/${newHostId()}`, { name: "c" })).status).toBe(404);
    const acts = await db.selectFrom("audit").select(["action", "detail"]).execute();
    expect(acts).toEqual([
      { action: "host.updated", detail: JSON.stringify({ name: "A2", name_before: "a" }) },
    ]);
    expect(published).toHaveLength(1);
  });

  test("forget a host with all that belongs to it, for an administrator only", async () => {
    const db = await open();
    const { as, published } = hosts(db);
    const id = await addHost(db, { name: "a" });
    await addCredentials(db, id);
    await addJob(db, id, "succeeded");
    expect((await as("operator")("DELETE", `/api/hosts/${id}`)).status).toBe(403);
    expect((await as("admin")("DELETE", `/api/hosts/${id}`)).status).toBe(204);
    for (const table of ["hosts", "jobs", "repository_credentials"] as const)
      expect(await db.selectFrom(table).selectAll().execute()).toEqual([]);
    expect(published).toEqual([["host.removed", { hostId: id }]]);
    expect(await db.selectFrom("audit").select(["action", "target_name"]).execute()).toEqual([
      { action: "host.deleted", target_name: "a" },
    ]);
    expect((await as("admin")("DELETE", `/api/hosts/${id}`)).status).toBe(404);
  });
});
