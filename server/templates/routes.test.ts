import { expect, test } from "bun:test";
import {
  HostFollowing,
  Template,
  TemplateHosts,
  TemplatePreview,
} from "@restic-manager/protocol/api/templates";
import type { HostId } from "@restic-manager/protocol/ids";
import { dropWaiting } from "../jobs/waiting-store.ts";
import type { Database } from "../platform/db/schema.ts";
import { agentSchedules } from "../schedules/agent-schedules.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, addSchedule, addSourceGroup } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { templatesRoom } from "./routes.ts";

const BASE = "/api/policy-templates";
const CONTENT = {
  groups: [
    { name: "etc", includes: ["/etc"], retention_policy: { daily: 7 } },
    { name: "www", includes: ["/var/www"], excludes: ["*.log"] },
  ],
  schedules: [
    { name: "Nightly", cron: "0 3 * * *", groups: ["etc", "www"], spread_seconds: 3_600 },
    { name: "Hourly", cron: "15 * * * *", groups: ["www"] },
  ],
};

async function templates(db: Database) {
  const parts = testParts(db);
  const room = templatesRoom({ ...parts, dropWaiting: (trx, of) => dropWaiting(trx, of, parts.clock.now()) });
  const call = callRoom(room, "operator");
  const make = async (given: object = {}) =>
    Template.parse((await call("POST", BASE, { name: "Web servers", content: CONTENT, ...given })).body);
  const apply = async (id: string, hosts: readonly HostId[], given: object = {}) =>
    (await call("POST", `${BASE}/${id}/apply`, { host_ids: hosts, ...given })).body as {
      items: { outcome: string; changes?: number; problem?: { code: string } }[];
    };
  const following = async (host: HostId) =>
    HostFollowing.parse((await call("GET", `/api/hosts/${host}/policy-template`)).body).following;
  const preview = async (id: string, target: object) =>
    TemplatePreview.parse((await call("POST", `${BASE}/${id}/preview`, target)).body);
  const trail = async () =>
    (await db.selectFrom("audit").select("action").orderBy("id").execute()).map((row) => row.action);
  return { ...parts, call, make, apply, following, preview, trail };
}
const agentHas = async (db: Database, host: HostId) => {
  const set = await agentSchedules(db, host);
  return {
    version: set?.version,
    groups: set?.groups.map((group) => group.name).toSorted(),
    crons: set?.schedules.map((schedule) => schedule.cron).toSorted(),
  };
};

onEveryStore("policy templates", (open) => {
  test("applied, a host's agent gets all of it at once; applied again nothing changes", async () => {
    const db = await open();
    const { make, apply, published, trail, following } = await templates(db);
    const template = await make();
    const host = await addHost(db);
    await addSourceGroup(db, host);
    expect((await apply(template.id, [host])).items).toEqual([
      { outcome: "applied", host_id: host, changes: 4 } as never,
    ]);
    expect(await agentHas(db, host)).toEqual({
      version: 1,
      groups: ["etc", "www"],
      crons: ["0 3 * * *", "15 * * * *"],
    });
    expect(published).toContainEqual(["schedules.changed", { hostId: host }]);
    expect((await apply(template.id, [host])).items[0]).toMatchObject({ changes: 0 });
    expect((await agentHas(db, host)).version).toBe(1);
    expect(await trail()).toEqual(["template.created", "template.applied", "template.applied"]);
    expect(await following(host)).toMatchObject({ template: { name: "Web servers" }, changes: [] });
  });

  test("its maintenance is saved with the rest, recorded, and looked at again at once", async () => {
    const db = await open();
    const { make, apply, following, trail } = await templates(db);
    const maintenance = {
      forget: { cron: "0 2 * * *", enabled: true },
      prune: { cron: "0 3 * * 0", enabled: false },
      check: { cron: "0 4 * * 3", enabled: true, read_data_percent: 5 },
    };
    const template = await make({ content: { ...CONTENT, maintenance } });
    const host = await addHost(db);
    expect((await apply(template.id, [host])).items[0]).toMatchObject({ changes: 5 });
    const row = await db.selectFrom("repo_maintenance").selectAll().executeTakeFirst();
    expect(row).toMatchObject({ forget_cron: "0 2 * * *", prune_enabled: 0, check_read_data_percent: 5 });
    expect(await trail()).toEqual(["template.created", "maintenance.updated", "template.applied"]);
    await db.updateTable("repo_maintenance").set({ check_enabled: 0 }).execute();
    expect((await following(host))?.changes).toMatchObject([
      { what: "maintenance", fields: [{ field: "check.enabled", minus: ["false"], plus: ["true"] }] },
    ]);
  });

  test("drift is shown: what was changed on the host, and what was changed in the template", async () => {
    const db = await open();
    const { call, make, apply, following } = await templates(db);
    const template = await make();
    const hosts = [await addHost(db, { name: "a" }), await addHost(db, { name: "b" })];
    await apply(template.id, hosts);
    const [, second] = hosts;
    if (second === undefined) throw new Error("there are two");
    await db
      .updateTable("source_groups")
      .set({ includes: '["/etc","/root"]' })
      .where("host_id", "=", second)
      .where("name", "=", "etc")
      .execute();
    const show = async () => Template.parse((await call("GET", `${BASE}/${template.id}`)).body);
    expect((await show()).hosts).toEqual({ following: 2, differing: 1 });
    expect((await following(second))?.changes).toEqual([
      {
        what: "group",
        act: "change",
        name: "etc",
        fields: [{ field: "includes", minus: ["/root"], plus: [], more: 0 }],
      },
    ]);
    const body = { name: "Web servers", content: { ...CONTENT, schedules: [] }, version: 1 };
    expect((await call("PUT", `${BASE}/${template.id}`, body)).body).toMatchObject({
      version: 2,
      hosts: { following: 2, differing: 2 },
    });
    const { items } = TemplateHosts.parse((await call("GET", `${BASE}/${template.id}/hosts`)).body);
    expect(items.map((item) => [item.host.name, item.version, item.changes.length])).toEqual([
      ["a", 1, 2],
      ["b", 1, 3],
    ]);
    await apply(template.id, hosts);
    expect((await show()).hosts).toEqual({ following: 2, differing: 0 });
    expect((await agentHas(db, second)).crons).toEqual([]);
  });

  test("a preview says what would happen, hosts alike together, and changes nothing", async () => {
    const db = await open();
    const { make, preview, trail } = await templates(db);
    const template = await make();
    const hosts = [await addHost(db, { name: "a" }), await addHost(db, { name: "b" })];
    const other = await addHost(db, { name: "c" });
    await addSourceGroup(db, other, "own");
    const { items, template_version } = await preview(template.id, { host_ids: [...hosts, other] });
    expect(template_version).toBe(1);
    expect(
      items.map((item) => [item.hosts.map((host) => host.name), item.changes.length, item.others]),
    ).toEqual([
      [["a", "b"], 4, []],
      [["c"], 4, [{ what: "group", name: "own" }]],
    ]);
    const strict = await preview(template.id, { host_ids: [other], others: "remove" });
    expect(strict.items[0]?.changes).toContainEqual({
      what: "group",
      act: "remove",
      name: "own",
      fields: [],
    });
    expect(await trail()).toEqual(["template.created"]);
  });

  test("by a tag: those that have it, and no others", async () => {
    const db = await open();
    const { make, call, following } = await templates(db);
    const template = await make();
    const tagged = await addHost(db);
    const plain = await addHost(db);
    await db.insertInto("host_tags").values({ host_id: tagged, tag: "web" }).execute();
    const { body } = await call("POST", `${BASE}/${template.id}/apply`, { tag: "Web" });
    expect(body).toMatchObject({ items: [{ host_id: tagged, outcome: "applied" }] });
    expect(await following(plain)).toBeNull();
    const both = await call("POST", `${BASE}/${template.id}/apply`, { tag: "web", host_ids: [plain] });
    expect(both.status).toBe(422);
    expect((await call("POST", `${BASE}/${template.id}/apply`, {})).status).toBe(422);
  });

  test("what was changed since the preview is refused, host by host, and the template as a whole", async () => {
    const db = await open();
    const { make, apply, call } = await templates(db);
    const template = await make();
    const [stale, fresh] = [await addHost(db, { schedule_version: 4 }), await addHost(db)];
    const answers = await apply(template.id, [stale, fresh], {
      template_version: 1,
      schedule_versions: { [stale]: 3, [fresh]: 0 },
    });
    expect(answers.items.map((item) => item.problem?.code ?? item.outcome).toSorted()).toEqual([
      "applied",
      "changed_meanwhile",
    ]);
    const late = await call("POST", `${BASE}/${template.id}/apply`, {
      host_ids: [stale],
      template_version: 2,
    });
    expect(late).toMatchObject({ status: 409, body: { code: "changed_meanwhile" } });
  });

  test("two editors of a template: the second is told who was first, and nothing is lost", async () => {
    const db = await open();
    const { make, call } = await templates(db);
    const { id } = await make();
    const edit = (name: string, version?: number) =>
      call("PUT", `${BASE}/${id}`, { name, content: CONTENT, ...(version === undefined ? {} : { version }) });
    expect((await edit("First", 1)).status).toBe(200);
    expect(await edit("Second", 1)).toMatchObject({
      status: 409,
      body: { code: "changed_meanwhile", newest: { version: 2, changed: { by: "ada" } } },
    });
    expect((await edit("Second", 2)).status).toBe(200);
    expect((await edit("Third")).body).toMatchObject({ name: "Third", version: 4 });
  });

  test("what goes takes along the jobs that wait of it, and groups that swapped their names swap back", async () => {
    const db = await open();
    const { make, apply, published } = await templates(db);
    const template = await make();
    const host = await addHost(db, { online: 0 });
    const own = await addSourceGroup(db, host, "own");
    const waiting = await addJob(db, host, "queued", { source_group_id: own });
    await apply(template.id, [host]);
    for (const [from, to] of [
      ["etc", "x"],
      ["www", "etc"],
      ["x", "www"],
    ] as const)
      await db.updateTable("source_groups").set({ name: to }).where("name", "=", from).execute();
    await apply(template.id, [host], { others: "remove" });
    const groups = await db
      .selectFrom("source_groups")
      .select(["name", "includes"])
      .orderBy("name")
      .execute();
    expect(groups).toEqual([
      { name: "etc", includes: '["/etc"]' },
      { name: "www", includes: '["/var/www"]' },
    ]);
    const job = await db.selectFrom("jobs").select("state").where("id", "=", waiting).executeTakeFirst();
    expect(job?.state).toBe("cancelled");
    expect(published).toContainEqual(["job.changed", { jobId: waiting, hostId: host }]);
  });

  test("a name that another group of the host has is refused in words, and the host stays as it was", async () => {
    const db = await open();
    const { make, apply } = await templates(db);
    const template = await make();
    const host = await addHost(db);
    await apply(template.id, [host]);
    await db.updateTable("source_groups").set({ name: "mine" }).where("name", "=", "etc").execute();
    await addSourceGroup(db, host, "etc");
    expect((await apply(template.id, [host])).items[0]).toMatchObject({
      outcome: "refused",
      problem: { code: "name_taken" },
    });
    const names = await db.selectFrom("source_groups").select("name").orderBy("name").execute();
    expect(names.map((row) => row.name)).toEqual(["etc", "mine", "www"]);
  });

  test("a host that leaves keeps all it has, as do all when the template is deleted", async () => {
    const db = await open();
    const { make, apply, call, following, trail } = await templates(db);
    const template = await make();
    const hosts = [await addHost(db), await addHost(db)];
    await apply(template.id, hosts);
    expect((await call("DELETE", `/api/hosts/${hosts[0]}/policy-template`)).status).toBe(204);
    expect((await call("DELETE", `${BASE}/${template.id}`)).status).toBe(204);
    for (const host of hosts) {
      expect(await following(host)).toBeNull();
      expect((await agentHas(db, host)).groups).toEqual(["etc", "www"]);
    }
    expect((await trail()).slice(-2)).toEqual(["template.left", "template.deleted"]);
    expect((await call("GET", `${BASE}/${template.id}`)).status).toBe(404);
  });

  test("a second template of the same name is refused, in whatever case; so is what no host may have", async () => {
    const db = await open();
    const { make, call } = await templates(db);
    await make();
    expect(await call("POST", BASE, { name: "WEB SERVERS", content: CONTENT })).toMatchObject({
      status: 409,
      body: { code: "name_taken" },
    });
    const schedules = [{ name: "N", cron: "0 3 30 2 *", groups: ["etc"] }];
    const bad = await call("POST", BASE, { name: "Bad", content: { ...CONTENT, schedules } });
    expect(bad).toMatchObject({
      status: 422,
      body: { fields: { "content.schedules.0.cron": expect.any(String) } },
    });
  });

  test("schedules that a template leaves alone keep what is expected of them", async () => {
    const db = await open();
    const { make, apply } = await templates(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host, "own");
    const schedule = await addSchedule(db, host, [group], { counts_from: 5 });
    await apply((await make()).id, [host]);
    const row = await db.selectFrom("schedules").selectAll().where("id", "=", schedule).executeTakeFirst();
    expect(row).toMatchObject({ counts_from: 5, version: 1 });
  });
});
