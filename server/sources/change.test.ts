import { expect, test } from "bun:test";
import { SourceGroup, SourceGroups } from "@restic-manager/protocol/api/sources";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { MAX_FRAME_BYTES } from "@restic-manager/protocol/limits";
import { wholeAgentConfig } from "../agent-config.ts";
import type { Database } from "../platform/db/schema.ts";
import { dropWaiting } from "../jobs/waiting-store.ts";
import { agentSchedules } from "../schedules/agent-schedules.ts";
import { schedulesUsing } from "../schedules/store.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, addSchedule, addSourceGroup, newHostId } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { sourcesRoom } from "./routes.ts";

const ULID = "01JD0000000000000000000000";
const GROUP = {
  name: "photos",
  includes: ["/srv/photos"],
  excludes: ["*.tmp"],
  retention_policy: { daily: 7 },
};

function sources(db: Database) {
  const parts = testParts(db);
  const room = sourcesRoom({
    ...parts,
    hasCredentials: async () => true,
    createJob: async (trx, job) => ({ id: await addJob(trx, job.hostId, "queued") }),
    usedBy: schedulesUsing,
    dropWaiting: (trx, sourceGroupId) => dropWaiting(trx, { sourceGroupId }, parts.clock.now()),
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  const audit = async () =>
    (await db.selectFrom("audit").selectAll().orderBy("id").execute()).map((row) => ({
      action: row.action,
      detail: JSON.parse(row.detail) as Record<string, unknown>,
    }));
  return { ...parts, trail: audit, call: callRoom(room, "operator"), admin: callRoom(room, "admin") };
}
const version = async (db: Database) =>
  (await db.selectFrom("hosts").select("schedule_version").executeTakeFirstOrThrow()).schedule_version;

onEveryStore("source groups", (open) => {
  test("two editors: the second is told who was first, and nothing of the first is lost", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db);
    const path = `/api/hosts/${host}/source-groups/${await addSourceGroup(db, host)}`;
    expect((await call("GET", path)).body).toMatchObject({ version: 1, changed: null });
    const edit = (name: string, version: number) => call("PUT", path, { ...GROUP, name, version });
    expect(await edit("first", 1)).toMatchObject({
      status: 200,
      body: { version: 2, changed: { by: "ada" } },
    });
    expect(await edit("second", 1)).toMatchObject({
      status: 409,
      body: { code: "changed_meanwhile", newest: { version: 2, changed: { by: "ada" } } },
    });
    expect((await call("GET", path)).body).toMatchObject({ name: "first", version: 2 });
    expect((await edit("second", 2)).status).toBe(200);
  });

  test("are made, changed and deleted; each change is recorded, numbered and told", async () => {
    const db = await open();
    const { call, published, trail } = sources(db);
    const host = await addHost(db);
    await addSourceGroup(db, host);
    const base = `/api/hosts/${host}/source-groups`;
    const made = await call("POST", base, GROUP);
    expect(made.status).toBe(201);
    const group = SourceGroup.parse(made.body);
    expect(group).toMatchObject({ ...GROUP, retry_max: 10, retry_backoff_seconds: 60, hooks: null });
    expect(await version(db)).toBe(1);
    expect(published).toContainEqual(["schedules.changed", { hostId: host }]);

    const changed = await call("PUT", `${base}/${group.id}`, { ...GROUP, name: "pictures", retry_max: 0 });
    expect(changed).toMatchObject({ status: 200, body: { name: "pictures", retry_max: 0 } });
    expect(SourceGroups.parse((await call("GET", base)).body).items.map((one) => one.name)).toEqual([
      "default",
      "pictures",
    ]);
    expect((await call("DELETE", `${base}/${group.id}`)).status).toBe(204);
    expect((await call("GET", `${base}/${group.id}`)).status).toBe(404);
    expect(await version(db)).toBe(3);
    expect((await trail()).map((row) => row.action)).toEqual([
      "source_group.created",
      "source_group.updated",
      "source_group.deleted",
    ]);
    expect((await trail())[1]?.detail).toMatchObject({ name_before: "photos", includes: '["/srv/photos"]' });
  });

  test("have names of their own, and the last one cannot go", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db);
    const first = await addSourceGroup(db, host);
    const base = `/api/hosts/${host}/source-groups`;
    const taken = { status: 409, body: { code: "name_taken", fields: { name: expect.any(String) } } };
    expect(await call("POST", base, { ...GROUP, name: "default" })).toMatchObject(taken);
    const { body } = await call("POST", base, GROUP);
    const { id } = SourceGroup.parse(body);
    expect(await call("PUT", `${base}/${id}`, { ...GROUP, name: "default" })).toMatchObject(taken);
    expect((await call("DELETE", `${base}/${id}`)).status).toBe(204);
    expect(await call("DELETE", `${base}/${first}`)).toMatchObject({
      status: 409,
      body: { code: "last_group" },
    });
    expect((await call("POST", `/api/hosts/${newHostId()}/source-groups`, GROUP)).status).toBe(404);
    expect((await call("DELETE", `/api/hosts/${await addHost(db)}/source-groups/${first}`)).status).toBe(404);
  });

  test("that a schedule fires cannot go, and the answer names the schedules", async () => {
    const db = await open();
    const { call, trail } = sources(db);
    const host = await addHost(db);
    await addSourceGroup(db, host);
    const used = await addSourceGroup(db, host, "photos");
    const schedule = await addSchedule(db, host, [used], { cron: "0 3 * * *" });
    expect(await call("DELETE", `/api/hosts/${host}/source-groups/${used}`)).toMatchObject({
      status: 409,
      body: { code: "group_in_use", schedules: [{ id: schedule, cron: "0 3 * * *" }] },
    });
    expect(await trail()).toEqual([]);
  });

  test("take what waited to run of them along, but nothing that an agent has got", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db, { online: 0 });
    await addSourceGroup(db, host);
    const gone = await addSourceGroup(db, host, "photos");
    const waiting = await addJob(db, host, "queued", { source_group_id: gone });
    const sent = await addJob(db, host, "queued", { source_group_id: gone, sent_at: 1 });
    await call("DELETE", `/api/hosts/${host}/source-groups/${gone}`);
    const states = await db.selectFrom("jobs").select(["id", "state"]).execute();
    expect(new Map(states.map((row) => [row.id, row.state]))).toEqual(
      new Map([
        [waiting, "cancelled"],
        [sent, "queued"],
      ]),
    );
  });

  test.each([
    ["name", { name: "" }],
    ["name", { name: "a,b" }],
    ["name", { name: "-o" }],
    ["includes", { includes: [] }],
    ["includes.0", { includes: ["-o rest.connections=1"] }],
    ["includes.1", { includes: ["/srv", "relative"] }],
    ["includes", { includes: Array.from({ length: 10_001 }, () => "/a") }],
    [
      "includes",
      { includes: Array.from({ length: 9_000 }, (_, n) => `/srv/a-longer-path-than-that/file-${n}`) },
    ],
    ["retention_policy.daily", { retention_policy: { daily: -1 } }],
    ["retention_policy.keep_forever", { retention_policy: { keep_forever: 1 } }],
    ["retry_max", { retry_max: 1_001 }],
    ["retry_backoff_seconds", { retry_backoff_seconds: 0 }],
    ["colour", { colour: "red" }],
  ])("refuse a bad %s by name (%#)", async (field, change) => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db);
    const { status, body } = await call("POST", `/api/hosts/${host}/source-groups`, { ...GROUP, ...change });
    expect([status, body]).toEqual([
      422,
      expect.objectContaining({ fields: expect.objectContaining({ [field]: expect.any(String) }) }),
    ]);
    expect(JSON.stringify(body).length).toBeLessThan(8_000);
  });

  test("of ten thousand paths are taken while they fit the agent's frame, and refused with words beyond", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db);
    const includes = Array.from({ length: 10_000 }, (_, n) => `/srv/data/${n}`);
    const base = `/api/hosts/${host}/source-groups`;
    const answers = [];
    for (const name of ["a", "b", "c", "d", "e"])
      answers.push(await call("POST", base, { ...GROUP, name, includes }));
    expect(answers.map((one) => one.status)).toEqual([201, 201, 201, 201, 422]);
    expect(answers[4]?.body).toMatchObject({ fields: { includes: expect.stringContaining("704 KiB") } });
    const groups = (await db.selectFrom("source_groups").select("id").execute()).map((row) => row.id);
    for (let n = 0; n < 100; n += 1) await addSchedule(db, host, groups);
    const set = await agentSchedules(db, host);
    expect(set?.groups).toHaveLength(4);
    expect(Buffer.byteLength(JSON.stringify(set))).toBeLessThan(MAX_FRAME_BYTES);
  });

  test("are not run for a machine that is away when whoever asks does not want to wait", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db, { online: 0 });
    const group = await addSourceGroup(db, host);
    const path = `/api/hosts/${host}/source-groups/${group}/run`;
    const refused = await call("POST", path, { when_offline: "refuse" });
    expect(refused).toMatchObject({ status: 503, body: { code: "host_offline" } });
    expect((await call("POST", path, {})).status).toBe(201);
    expect((await call("POST", path, { when_offline: "wait" })).status).toBe(201);
  });

  test("are what is backed up: the whole host no more", async () => {
    const db = await open();
    const { call } = sources(db);
    const host = await addHost(db);
    expect(await call("POST", `/api/hosts/${host}/run-backup`)).toMatchObject({
      status: 410,
      body: { code: "gone", hint: expect.stringContaining("source-groups") },
    });
  });
});

onEveryStore("hooks and caps", (open) => {
  const secret = "pg_dump --password=hunter2 > /var/dump";

  test("are sealed, reach the agent, and are in no answer and no record", async () => {
    const db = await open();
    const { admin, call, seal, trail, published } = sources(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    const path = `/api/hosts/${host}/source-groups/${group}/hooks`;
    expect((await call("PUT", path, { pre: secret })).status).toBe(403);
    const answers = [
      await admin("PUT", path, { pre: secret, post: "true", timeout_seconds: 30 }),
      await admin("PUT", `/api/hosts/${host}/hooks`, { post: "echo over" }),
      await call("GET", `/api/hosts/${host}/source-groups`),
      await call("GET", `/api/hosts/${host}/hooks`),
    ];
    expect(answers.map((one) => one.status)).toEqual([200, 200, 200, 200]);
    expect(answers[0]?.body).toMatchObject({ hooks: { has_pre: true, has_post: true, timeout_seconds: 30 } });
    expect(answers[2]?.body).toMatchObject({ items: [{ hooks: { has_pre: true } }] });
    expect(answers[3]?.body).toMatchObject({
      hooks: { has_pre: false, has_post: true, timeout_seconds: 600 },
    });
    const rows = await db.selectFrom("hooks").selectAll().execute();
    expect(JSON.stringify([answers, await trail(), rows])).not.toContain("hunter2");
    expect((await trail()).map((row) => row.action)).toEqual([
      "source_group.hook_updated",
      "host.default_hook_updated",
    ]);
    expect((await trail())[0]?.detail).toMatchObject({ pre: "changed", post: "changed" });
    expect(published).toContainEqual(["config.changed", { hostId: host }]);
    expect(await wholeAgentConfig(db, seal, host)).toMatchObject({
      version: 3,
      hooks: {
        host: { post: "echo over", timeout_seconds: 600 },
        groups: [{ source_group_id: group, hooks: { pre: secret, post: "true", timeout_seconds: 30 } }],
      },
    });
  });

  test("of which one is left out keep it, and null takes it away", async () => {
    const db = await open();
    const { admin, seal } = sources(db);
    const host = await addHost(db);
    const path = `/api/hosts/${host}/hooks`;
    await admin("PUT", path, { pre: "a", post: "b" });
    await admin("PUT", path, { post: null });
    expect((await wholeAgentConfig(db, seal, host))?.hooks?.host).toEqual({ pre: "a", timeout_seconds: 600 });
    expect((await admin("PUT", path, { pre: null })).body).toEqual({ hooks: null });
    expect(await wholeAgentConfig(db, seal, host)).not.toHaveProperty("hooks");
  });

  test("that would not fit the agent's configuration are refused", async () => {
    const db = await open();
    const { admin } = sources(db);
    const host = await addHost(db);
    const long = "x".repeat(16 * 1024);
    expect((await admin("PUT", `/api/hosts/${host}/hooks`, { pre: `${long}x` })).status).toBe(422);
    const answers = [];
    for (let n = 0; n < 9; n += 1) {
      const group = await addSourceGroup(db, host, `g${n}`);
      const path = `/api/hosts/${host}/source-groups/${group}/hooks`;
      answers.push(await admin("PUT", path, { pre: long, post: long }));
    }
    expect(answers.map((one) => one.status)).toEqual([...Array.from({ length: 7 }, () => 200), 422, 422]);
    expect((await admin("PUT", `/api/hosts/${host}/source-groups/${ULID}/hooks`, {})).status).toBe(404);
  });

  test("hold for every restic call of the host until they are changed", async () => {
    const db = await open();
    const { call, seal } = sources(db);
    const host = await addHost(db);
    const path = `/api/hosts/${host}/bandwidth`;
    const caps = { upload_kib_per_s: 500, download_kib_per_s: 1_000 };
    expect(await call("PUT", path, caps)).toMatchObject({ status: 200, body: caps });
    expect(await wholeAgentConfig(db, seal, host)).toMatchObject({ version: 2, bandwidth: caps });
    expect((await call("PUT", path, { download_kib_per_s: 7 })).body).toEqual({ download_kib_per_s: 7 });
    expect((await call("PUT", path, { upload_kib_per_s: -1 })).status).toBe(422);
  });
});
