import { expect, test } from "bun:test";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { PausedHosts, Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { createJob, jobIds } from "../jobs/create.ts";
import { recordStarted } from "../jobs/started.ts";
import { dropWaiting } from "../jobs/waiting-store.ts";
import { ScheduleFire } from "@restic-manager/protocol/schedule-fire";
import { Epoch, type HostId, type ScheduleId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { EPOCH } from "../testing/link.ts";
import { callRoom, testParts } from "../testing/parts.ts";
import { addHost, addJob, addSchedule, addSourceGroup, newHostId, newJobId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { agentSchedules } from "./agent-schedules.ts";
import { recordFire } from "./fire.ts";
import { schedulesRoom } from "./routes.ts";

const ULID = "01JD0000000000000000000000";
const HOUR = 3_600_000;

function schedules(db: Database) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const room = schedulesRoom({
    ...parts,
    hasCredentials: async () => true,
    createJob: (trx, job) => createJob(trx, { clock: parts.clock, nextId }, job),
    dropWaitingOf: (trx, scheduleId, groups) => dropWaiting(trx, { scheduleId, groups }, parts.clock.now()),
    countUpkeepFrom: async () => {},
    viewJob: (id) => Promise.resolve({ id } as Job),
  });
  const call = callRoom(room, "operator");
  const list = async (host: HostId) =>
    Schedules.parse((await call("GET", `/api/hosts/${host}/schedules`)).body);
  const trail = async () =>
    (await db.selectFrom("audit").select("action").orderBy("id").execute()).map((row) => row.action);
  const fire = (host: HostId, id: ScheduleId, at: number, jobs = [newJobId()], change: object = {}) =>
    db.transaction().execute((trx) =>
      recordFire(
        trx,
        recordStarted,
        { hostId: host, epoch: Epoch.parse(EPOCH), now: parts.clock.now() },
        ScheduleFire.parse({
          type: "schedule.fire",
          schedule_id: id,
          scheduled_at: new Date(at).toISOString(),
          fired_at: new Date(at).toISOString(),
          attempt: 0,
          jobs: jobs.map((job_id) => ({ job_id, source_group_id: ULID, source_group_name: "default" })),
          ...change,
        }),
      ),
    );
  return { ...parts, call, look: callRoom(room, "viewer"), list, trail, fire };
}

onEveryStore("schedules", (open) => {
  test("two editors: the second is told who was first; a switch counts as a change too", async () => {
    const db = await open();
    const { call } = schedules(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    const base = `/api/hosts/${host}/schedules/${await addSchedule(db, host, [group])}`;
    const edit = (cron: string, version?: number) =>
      call("PUT", base, {
        cron,
        source_group_ids: [group],
        ...(version === undefined ? {} : { version }),
      });
    expect(await edit("0 4 * * *", 1)).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await edit("0 5 * * *", 1)).toMatchObject({
      status: 409,
      body: { code: "changed_meanwhile", newest: { version: 2, changed: { by: "ada" } } },
    });
    expect((await call("POST", `${base}/pause`)).body).toMatchObject({ version: 3 });
    expect((await edit("0 5 * * *", 2)).status).toBe(409);
    expect((await edit("0 5 * * *")).body).toMatchObject({ cron: "0 5 * * *", version: 4 });
  });

  test("many hosts are paused and resumed with one request; one that is gone does not keep the others from it", async () => {
    const db = await open();
    const { call } = schedules(db);
    const hosts = [await addHost(db), await addHost(db)];
    const gone = newHostId();
    const { status, body } = await call("POST", "/api/pauses", {
      host_ids: [...hosts, gone],
      reason: "moving",
    });
    expect(status).toBe(200);
    const { items } = PausedHosts.parse(body);
    expect(items).toHaveLength(3);
    expect(items).toContainEqual(
      expect.objectContaining({
        host_id: gone,
        outcome: "refused",
        problem: expect.objectContaining({ code: "not_found" }),
      }),
    );
    const paused = async () =>
      (await db.selectFrom("hosts").select("paused_reason").execute()).map((row) => row.paused_reason);
    expect(await paused()).toEqual(["moving", "moving"]);
    await call("POST", "/api/pauses", { host_ids: hosts, reason: null });
    expect(await paused()).toEqual([null, null]);
    expect((await call("POST", "/api/pauses", { host_ids: hosts })).status).toBe(422);
  });

  test("are made, changed, paused, resumed and deleted; each change is recorded, numbered and told", async () => {
    const db = await open();
    const { call, list, trail, published } = schedules(db);
    const host = await addHost(db, { timezone: "Europe/Berlin" });
    const group = await addSourceGroup(db, host);
    const base = `/api/hosts/${host}/schedules`;
    const made = await call("POST", base, { cron: " 0  3 * * * ", source_group_ids: [group] });
    expect(made.status).toBe(201);
    const { id } = Schedule.parse(made.body);
    expect(made.body).toMatchObject({
      cron: "0 3 * * *",
      timezone: null,
      effective_timezone: "Europe/Berlin",
      enabled: true,
      source_groups: [{ id: group, name: "default" }],
      next_run: { at: "2026-11-22T02:00:00.000Z", local: "2026-11-22T03:00:00+01:00" },
      last_run: null,
      overdue: null,
    });
    const change = { cron: "30 4 * * 1", timezone: "UTC", enabled: true, source_group_ids: [group] };
    expect(await call("PUT", `${base}/${id}`, change)).toMatchObject({
      status: 200,
      body: { next_run: { at: "2026-11-23T04:30:00.000Z" }, effective_timezone: "UTC" },
    });
    expect((await call("POST", `${base}/${id}/pause`)).body).toMatchObject({
      enabled: false,
      next_run: null,
    });
    await call("POST", `${base}/${id}/pause`);
    expect((await call("POST", `${base}/${id}/resume`)).body).toMatchObject({ enabled: true });
    expect((await list(host)).sync).toEqual({ version: 4, applied_version: null });
    expect((await call("DELETE", `${base}/${id}`)).status).toBe(204);
    expect(await list(host)).toEqual({
      items: [],
      paused: null,
      sync: { version: 5, applied_version: null },
    });
    expect(await trail()).toEqual([
      "schedule.created",
      "schedule.updated",
      "schedule.paused",
      "schedule.resumed",
      "schedule.deleted",
    ]);
    expect(published.filter(([topic]) => topic === "schedules.changed")).toHaveLength(5);
  });

  test.each([
    ["cron", { cron: "@daily" }, "write 0 0 * * * instead of @daily"],
    [
      "cron",
      { cron: "0 0 0 1 1 *" },
      "needs 5 fields (minute hour day month weekday) and has 6: leave out the one for seconds",
    ],
    ["cron", { cron: "0 0 30 2 *" }, "names a date that never comes"],
    ["cron", { cron: "often" }, "needs 5 fields (minute hour day month weekday) and has 1"],
    ["timezone", { timezone: "Mars/Olympus" }, "is not the name of a time zone, such as Europe/Berlin"],
    ["source_group_ids", { source_group_ids: [] }, "choose at least one source group"],
    ["source_group_ids.1", { source_group_ids: ["own", ULID] }, "is not a source group of this host"],
    ["source_group_ids.0", { source_group_ids: ["foreign"] }, "is not a source group of this host"],
    ["spread_seconds", { spread_seconds: 43_201 }, "at most 12 hours"],
  ])("refuse a bad %s by name (%#)", async (field, change, words) => {
    const db = await open();
    const { call, trail } = schedules(db);
    const host = await addHost(db);
    const ids: Record<string, string> = {
      own: await addSourceGroup(db, host),
      foreign: await addSourceGroup(db, await addHost(db)),
    };
    const given = { cron: "0 3 * * *", source_group_ids: ["own"], ...change };
    const source_group_ids = given.source_group_ids.map((id) => ids[id] ?? id);
    const answer = await call("POST", `/api/hosts/${host}/schedules`, { ...given, source_group_ids });
    expect(answer).toMatchObject({ status: 422, body: { fields: { [field]: words } } });
    expect(await trail()).toEqual([]);
  });

  test("show five times before they are saved, in UTC and on the wall clock", async () => {
    const db = await open();
    const { look, trail } = schedules(db);
    const host = await addHost(db, { timezone: "Asia/Kathmandu" });
    const path = `/api/hosts/${host}/schedules/preview`;
    const { body } = await look("POST", path, { cron: "0 */12 * * *" });
    expect(body).toMatchObject({ effective_timezone: "Asia/Kathmandu" });
    expect((body as { next: { at: string; local: string }[] }).next).toHaveLength(5);
    expect((body as { next: unknown[] }).next[0]).toEqual({
      at: "2026-11-21T18:15:00.000Z",
      local: "2026-11-22T00:00:00+05:45",
    });
    expect(await look("POST", path, { cron: "@daily" })).toMatchObject({ status: 422 });
    expect(
      (await look("POST", `/api/hosts/${newHostId()}/schedules/preview`, { cron: "0 3 * * *" })).status,
    ).toBe(404);
    expect(await trail()).toEqual([]);
  });

  test("stand still while their host is in maintenance, and the agent is told", async () => {
    const db = await open();
    const { call, list, trail } = schedules(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    await addSchedule(db, host, [group]);
    expect(await call("PUT", `/api/hosts/${host}/pause`, { reason: " " })).toMatchObject({ status: 422 });
    const paused = await call("PUT", `/api/hosts/${host}/pause`, { reason: "disk swap" });
    expect(paused.body).toMatchObject({
      paused: { reason: "disk swap", since: "2026-11-21T12:00:00.000Z", by: "ada" },
      items: [{ next_run: null, enabled: true }],
    });
    expect(await agentSchedules(db, host)).toMatchObject({
      version: 1,
      paused: true,
      schedules: [{ enabled: true }],
    });
    await call("DELETE", `/api/hosts/${host}/pause`);
    await call("DELETE", `/api/hosts/${host}/pause`);
    expect((await list(host)).paused).toBeNull();
    expect(await agentSchedules(db, host)).toMatchObject({ version: 2, paused: false });
    expect(await trail()).toEqual(["host.paused", "host.resumed"]);
  });

  test("run all their groups now, in the name of whoever asks; what waits goes with the schedule", async () => {
    const db = await open();
    const { call, published, trail } = schedules(db);
    const host = await addHost(db, { online: 0 });
    const groups = [await addSourceGroup(db, host, "a"), await addSourceGroup(db, host, "b")];
    const id = await addSchedule(db, host, groups);
    const path = `/api/hosts/${host}/schedules/${id}`;
    expect(await call("POST", `${path}/run`, { when_offline: "refuse" })).toMatchObject({ status: 503 });
    const { status, body } = await call("POST", `${path}/run`, {});
    expect([status, (body as { jobs: unknown[] }).jobs.length]).toEqual([201, 2]);
    const jobs = await db.selectFrom("jobs").selectAll().orderBy("id").execute();
    expect(jobs.map((job) => [job.actor_name, job.source_group_name, job.schedule_id])).toEqual([
      ["ada", "a", id],
      ["ada", "b", id],
    ]);
    expect(published.filter(([topic]) => topic === "job.queued")).toHaveLength(2);
    await call("DELETE", path);
    const states = await db.selectFrom("jobs").select("state").execute();
    expect(states.map((job) => job.state)).toEqual(["cancelled", "cancelled"]);
    expect(await trail()).toEqual(["job.run_now", "schedule.deleted"]);
  });

  test("regression: a change of a schedule's groups drops what waits of those that go, and nothing else", async () => {
    const db = await open();
    const { call, published, clock } = schedules(db);
    const host = await addHost(db, { online: 0 });
    const [stays, goes] = [await addSourceGroup(db, host, "stays"), await addSourceGroup(db, host, "goes")];
    const id = await addSchedule(db, host, [stays, goes]);
    const other = await addSchedule(db, host, [goes]);
    const base = `/api/hosts/${host}/schedules`;
    for (const one of [id, other]) expect((await call("POST", `${base}/${one}/run`, {})).status).toBe(201);
    // Of no schedule, and one that its agent has got.
    await addJob(db, host, "queued", { source_group_id: goes, source_group_name: "by hand" });
    await addJob(db, host, "queued", {
      source_group_id: goes,
      source_group_name: "sent",
      schedule_id: id,
      sent_at: NOON,
    });
    const states = async () =>
      (await db.selectFrom("jobs").selectAll().orderBy("id").execute())
        .map((job) => `${job.source_group_name} ${job.schedule_id === id ? "of it" : ""} ${job.state}`)
        .toSorted();
    const all = await states();
    const edit = (groups: string[]) =>
      call("PUT", `${base}/${id}`, { cron: "0 4 * * *", source_group_ids: groups });
    expect((await edit([goes, stays])).status).toBe(200);
    expect(await states()).toEqual(all);
    clock.advance(1_000);
    published.length = 0;
    expect((await edit([stays])).status).toBe(200);
    expect(await states()).toEqual(
      all.map((line) => (line === "goes of it queued" ? "goes of it cancelled" : line)).toSorted(),
    );
    expect(published.filter(([topic]) => topic === "job.changed")).toHaveLength(1);
    const audit = await db
      .selectFrom("audit")
      .select("detail")
      .orderBy("id", "desc")
      .executeTakeFirstOrThrow();
    expect(JSON.parse(audit.detail)).toMatchObject({ dropped_jobs: 1, source_groups: "stays" });
  });

  test("are kept in a host's own list: another host's cannot be seen or changed", async () => {
    const db = await open();
    const { call } = schedules(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    const id = await addSchedule(db, host, [group]);
    const other = await addHost(db);
    const foreign = await addSourceGroup(db, other);
    const path = `/api/hosts/${other}/schedules/${id}`;
    const input = { cron: "0 3 * * *", source_group_ids: [foreign] };
    expect((await call("PUT", path, input)).status).toBe(404);
    expect((await call("DELETE", path)).status).toBe(404);
    expect((await call("POST", `${path}/run`, {})).status).toBe(404);
    expect((await call("GET", `/api/hosts/${newHostId()}/schedules`)).status).toBe(404);
  });
});

onEveryStore("a fire", (open) => {
  test("writes its jobs as the agent's own, once however often it is reported", async () => {
    const db = await open();
    const { fire, list } = schedules(db);
    const host = await addHost(db);
    const id = await addSchedule(db, host, [await addSourceGroup(db, host)]);
    const job = newJobId();
    const catch_up = { missed_count: 3, missed: ["2026-11-21T09:00:00.000Z"] };
    expect(await fire(host, id, NOON - HOUR, [job], { catch_up })).toEqual([job]);
    expect(await fire(host, id, NOON - HOUR, [job], { catch_up })).toEqual([]);
    const rows = await db.selectFrom("jobs").selectAll().execute();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      id: job,
      actor_kind: "schedule",
      actor_id: id,
      schedule_id: id,
      scheduled_at: NOON - HOUR,
      missed_count: 3,
      state: "queued",
      sent_epoch: EPOCH,
      accepted_at: NOON - HOUR,
    });
    expect((await list(host)).items[0]?.last_run).toEqual({
      scheduled_at: "2026-11-21T11:00:00.000Z",
      fired_at: "2026-11-21T11:00:00.000Z",
      catch_up,
      job_ids: [job],
      state: "running",
    });
  });

  test("of a schedule that was deleted meanwhile still stands, and another host's job is not touched", async () => {
    const db = await open();
    const { fire } = schedules(db);
    const host = await addHost(db);
    const theirs = await addJob(db, await addHost(db), "running");
    const own = newJobId();
    const gone = await addSchedule(db, host, [await addSourceGroup(db, host)]);
    await db.deleteFrom("schedules").execute();
    await db.deleteFrom("source_groups").execute();
    expect(await fire(host, gone, NOON, [theirs, own])).toEqual([own]);
    const their = await db.selectFrom("jobs").select("state").where("id", "=", theirs).executeTakeFirst();
    expect(their?.state).toBe("running");
  });

  test("that is tried again shows the newest try, and as its state the worst of its jobs", async () => {
    const db = await open();
    const { fire, list } = schedules(db);
    const host = await addHost(db);
    const id = await addSchedule(db, host, [await addSourceGroup(db, host)]);
    const failed = await addJob(db, host, "failed");
    const good = await addJob(db, host, "succeeded");
    await fire(host, id, NOON, [failed, good]);
    expect((await list(host)).items[0]?.last_run?.state).toBe("failed");
    await fire(host, id, NOON, [good], { attempt: 1 });
    expect((await list(host)).items[0]?.last_run).toMatchObject({ state: "succeeded", job_ids: [good] });
  });

  test("that should have come and did not is overdue, but not while it is paused, and not before it counts", async () => {
    const db = await open();
    const { call, clock, fire, list } = schedules(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    const id = await addSchedule(db, host, [group], { cron: "0 13 * * *", counts_from: NOON });
    const overdue = async () => (await list(host)).items[0]?.overdue;
    expect(await overdue()).toBeNull();
    clock.advance(HOUR + 9 * 60_000);
    expect(await overdue()).toBeNull();
    clock.advance(2 * 60_000);
    expect(await overdue()).toEqual({ scheduled_at: "2026-11-21T13:00:00.000Z", host_offline: false });
    await call("PUT", `/api/hosts/${host}/pause`, { reason: "moving" });
    expect(await overdue()).toBeNull();
    await call("DELETE", `/api/hosts/${host}/pause`);
    expect(await overdue()).toBeNull();
    clock.advance(24 * HOUR);
    expect((await overdue())?.scheduled_at).toBe("2026-11-22T13:00:00.000Z");
    await fire(host, id, NOON + 25 * HOUR);
    expect(await overdue()).toBeNull();
  });

  test("is shown with this host's share of the spread", async () => {
    const db = await open();
    const { list, clock } = schedules(db);
    const host = await addHost(db);
    const group = await addSourceGroup(db, host);
    await addSchedule(db, host, [group], { cron: "0 12 * * *", spread_seconds: 43_200 });
    const next = Date.parse((await list(host)).items[0]?.next_run?.at ?? "");
    // Noon is now: this host's moment of today may still be ahead.
    expect(next).toBeGreaterThan(NOON - 1);
    expect(next).toBeLessThan(NOON + 36 * HOUR + 1);
    clock.advance(next - NOON);
    expect(Date.parse((await list(host)).items[0]?.next_run?.at ?? "")).toBe(next + 24 * HOUR);
  });
});
