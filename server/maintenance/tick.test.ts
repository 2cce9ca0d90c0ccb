import { expect, test } from "bun:test";
import type { HostId } from "@restic-manager/protocol/ids";
import { createJob, jobIds } from "../jobs/create.ts";
import { endWaiting } from "../jobs/waiting-store.ts";
import type { Database } from "../platform/db/schema.ts";
import { testParts } from "../testing/parts.ts";
import { addCredentials, addHost, addJob, addSourceGroup, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { unhinderedFacts } from "../testing/upkeep.ts";
import type { UpkeepFacts } from "./due.ts";
import { giveUpUpkeep } from "./give-up.ts";
import { columnsOf, defaultRow } from "./settings.ts";
import { writeSettings } from "./store.ts";
import { planOf, upkeepTick } from "./tick.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

function world(db: Database) {
  const parts = testParts(db);
  const nextId = jobIds(parts.clock);
  const errors: unknown[] = [];
  const createNow: Parameters<typeof upkeepTick>[0]["createJob"] = (trx, job) =>
    createJob(trx, { clock: parts.clock, nextId }, job);
  const tick = () => upkeepTick({ ...parts, createJob: createNow, onError: (error) => errors.push(error) });
  /** A host whose check is due at 03:00 each day, and its forget and prune never. */
  const host = async (given: Parameters<typeof addHost>[1] = {}, checks = true) => {
    const id = await addHost(db, {
      protocol_version: 3,
      repository_id: "a".repeat(64),
      timezone: "UTC",
      ...given,
    });
    await addCredentials(db, id);
    const off = { cron: "0 3 * * *", enabled: false };
    const columns = columnsOf({
      forget: off,
      prune: off,
      check: { cron: "0 3 * * *", enabled: checks, read_data_percent: 2 },
    });
    await db.transaction().execute((trx) => writeSettings(trx, { ...defaultRow(id, 0), ...columns }));
    return id;
  };
  const jobs = (id: HostId) =>
    db.selectFrom("jobs").selectAll().where("host_id", "=", id).orderBy("created_at").execute();
  const giveUp = () =>
    giveUpUpkeep({ ...parts, endWaiting, refreshHost: () => Promise.resolve(), jobOver: async () => [] });
  return { ...parts, tick, host, jobs, errors, giveUp, createNow };
}

test("a fleet of which nothing is due soon is looked at no more often for that", () => {
  const off = { cron: "*/5 * * * *", enabled: false };
  const fit = unhinderedFacts();
  const facts: UpkeepFacts = {
    ...fit,
    settings: { ...fit.settings, forget: off, prune: off },
    latest: { ...fit.latest, check: { createdAt: NOON - HOUR, finishedAt: null } },
  };
  const { due, lookAt } = planOf(newHostId(), facts, NOON);
  expect(due).toEqual([]);
  expect(lookAt).toBeWithin(NOON + HOUR / 2, NOON + HOUR + 1);
});

onEveryStore("the upkeep of repositories", (open) => {
  test("orders what is due once, however many servers look", async () => {
    const db = await open();
    const { tick, host, jobs, published } = world(db);
    const id = await host();
    const made = await Promise.all([tick(), tick(), tick()]);
    expect(made.reduce((sum, one) => sum + one, 0)).toBe(1);
    expect(await tick()).toBe(0);
    const all = await jobs(id);
    expect(all).toMatchObject([{ kind: "check", state: "queued", actor_kind: "system" }]);
    expect(JSON.parse(all[0]?.input ?? "")).toEqual({ read_data_percent: 2 });
    expect(published.map(([topic]) => topic)).toContain("job.queued");
  });

  test("orders it again when its next time has come, and not while it waits or runs", async () => {
    const db = await open();
    const { tick, host, jobs, clock } = world(db);
    const id = await host();
    await tick();
    for (let hour = 0; hour < 48; hour += 1) {
      clock.advance(HOUR);
      await tick();
    }
    expect(await jobs(id)).toHaveLength(1);
    await db
      .updateTable("jobs")
      .set({ state: "succeeded", started_at: NOON, finished_at: clock.now(), result: "{}" })
      .execute();
    for (let hour = 0; hour < 14; hour += 1) {
      clock.advance(HOUR);
      await tick();
    }
    expect(await jobs(id)).toHaveLength(1);
    clock.advance(2 * HOUR);
    await tick();
    expect(await jobs(id)).toHaveLength(2);
  });

  test("regression: one that is due every five minutes ran every half hour at best, since nobody looked when it ended", async () => {
    const db = await open();
    const { tick, host, jobs, clock } = world(db);
    const id = await host();
    await db.updateTable("repo_maintenance").set({ check_cron: "*/5 * * * *" }).execute();
    const minutes = async (count: number, ends: boolean) => {
      for (let minute = 0; minute < count; minute += 1) {
        await tick();
        clock.advance(MINUTE);
        if (ends)
          await db
            .updateTable("jobs")
            .set({ state: "succeeded", started_at: NOON, finished_at: clock.now(), result: "{}" })
            .where("state", "=", "queued")
            .execute();
      }
    };
    await minutes(60, true);
    const starts = () => jobs(id).then((all) => all.map((job) => (job.created_at - NOON) / MINUTE));
    expect(await starts()).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]);
    // One that takes seventeen minutes: the first time after its end.
    await minutes(17, false);
    await minutes(13, true);
    expect((await starts()).slice(12)).toEqual([60, 80, 85]);
  });

  test("regression: a preview of forget that waited or ran put off the real one", async () => {
    const db = await open();
    const { tick, host, jobs } = world(db);
    const id = await host({}, false);
    const group = await addSourceGroup(db, id);
    await db
      .updateTable("source_groups")
      .set({ retention_policy: '{"keep_last":3}' })
      .where("id", "=", group)
      .execute();
    await db.updateTable("repo_maintenance").set({ forget_enabled: 1, next_look_at: 0 }).execute();
    await addJob(db, id, "running", { kind: "forget", input: '{"groups":[],"dry_run":true}' });
    expect(await tick()).toBe(1);
    const real = (await jobs(id)).filter((job) => job.actor_kind === "system");
    expect(real).toMatchObject([{ kind: "forget", input: expect.stringContaining('"dry_run":false') }]);
  });

  test("regression: forget was never tried again after a refusal, even with everyday credentials that may delete", async () => {
    const db = await open();
    const { tick, host, jobs, clock } = world(db);
    const id = await host({}, false);
    const group = await addSourceGroup(db, id);
    const keep = { retention_policy: '{"keep_last":3}' };
    await db.updateTable("source_groups").set(keep).where("id", "=", group).execute();
    const hourly = { forget_enabled: 1, forget_cron: "0 * * * *", next_look_at: 0 };
    await db.updateTable("repo_maintenance").set(hourly).execute();
    const refused = { input: '{"use_admin":false}', error: '{"code":"append_only","message":"refused"}' };
    await addJob(db, id, "failed", { kind: "forget", ...refused });
    clock.advance(90 * MINUTE);
    expect(await tick()).toBe(0);
    await db.updateTable("repository_credentials").set({ updated_at: clock.now() }).execute();
    clock.advance(6 * MINUTE);
    expect(await tick()).toBe(1);
    expect((await jobs(id)).at(-1)).toMatchObject({ kind: "forget", state: "queued" });
  });

  test("a machine that is away is skipped, and looked after at once when it is back", async () => {
    const db = await open();
    const { tick, host } = world(db);
    const id = await host({ online: 0 });
    expect(await tick()).toBe(0);
    await db.updateTable("hosts").set({ online: 1 }).where("id", "=", id).execute();
    expect(await tick()).toBe(1);
  });

  test("prune without admin credentials is skipped, and ordered soon after they are there", async () => {
    const db = await open();
    const { tick, host, jobs, clock } = world(db);
    const id = await host({}, false);
    await db
      .updateTable("repo_maintenance")
      .set({ prune_enabled: 1, next_look_at: 0 })
      .where("host_id", "=", id)
      .execute();
    expect(await tick()).toBe(0);
    await db
      .insertInto("repository_credentials")
      .values({
        host_id: id,
        slot: "admin",
        url: "",
        username: null,
        sealed: "x",
        has_password: 0,
        updated_at: NOON,
      })
      .execute();
    clock.advance(6 * MINUTE);
    expect(await tick()).toBe(1);
    expect(await jobs(id)).toMatchObject([{ kind: "prune", input: '{"use_admin":true}' }]);
  });

  test("hosts get the defaults by themselves, and forget waits until a group says what to keep", async () => {
    const db = await open();
    const { tick, jobs, clock } = world(db);
    const id = await addHost(db, { protocol_version: 3, repository_id: "a".repeat(64), timezone: "UTC" });
    await addCredentials(db, id);
    const group = await addSourceGroup(db, id);
    const days = async (count: number) => {
      for (let hour = 0; hour < count * 24; hour += 4) {
        clock.advance(4 * HOUR);
        await tick();
        await db
          .updateTable("jobs")
          .set({ state: "succeeded", started_at: NOON, finished_at: clock.now(), result: "{}" })
          .where("state", "=", "queued")
          .execute();
      }
    };
    await days(8);
    expect((await jobs(id)).map((job) => job.kind)).not.toContain("forget");
    expect((await jobs(id)).filter((job) => job.kind === "check")).not.toBeEmpty();
    await db
      .updateTable("source_groups")
      .set({ retention_policy: '{"keep_last":3}' })
      .where("id", "=", group)
      .execute();
    await days(3);
    const forgets = (await jobs(id)).filter((job) => job.kind === "forget");
    expect(forgets.length).toBeWithin(3, 5);
    expect(JSON.parse(forgets[0]?.input ?? "")).toMatchObject({ dry_run: false, use_admin: false });
  }, 30_000);

  test("one host's trouble keeps no other from its work", async () => {
    const db = await open();
    const { host, bus, clock, audit, createNow } = world(db);
    const [bad, good] = [await host({ name: "bad" }), await host({ name: "good" })];
    const errors: string[] = [];
    const made = await upkeepTick({
      db,
      bus,
      clock,
      audit,
      createJob: (trx, job) =>
        job.hostId === bad ? Promise.reject(new Error("no room")) : createNow(trx, job),
      onError: (_error, doing) => void errors.push(doing),
    });
    expect([made, errors]).toEqual([1, [`order what is due at host ${bad}`]]);
    expect(await db.selectFrom("jobs").select("host_id").execute()).toEqual([{ host_id: good }]);
  });

  test("what nobody can do any more is given up on the record: the server's own at once, a person's after a day", async () => {
    const db = await open();
    const { host, giveUp, clock } = world(db);
    const away = await host({ online: 0, name: "away" });
    const here = await host();
    const own = await addJob(db, away, "queued", { kind: "prune", actor_kind: "system" });
    const persons = await addJob(db, away, "queued", { kind: "check" });
    const connected = await addJob(db, here, "queued", { kind: "check", actor_kind: "system" });
    const sent = await addJob(db, away, "queued", { kind: "forget", actor_kind: "system", sent_at: NOON });
    const states = async () =>
      new Map(
        (await db.selectFrom("jobs").select(["id", "state"]).execute()).map((job) => [job.id, job.state]),
      );
    await giveUp();
    await giveUp();
    expect(await states()).toEqual(
      new Map([
        [own, "cancelled"],
        [persons, "queued"],
        [connected, "queued"],
        [sent, "queued"],
      ]),
    );
    clock.advance(25 * HOUR);
    await giveUp();
    expect((await states()).get(persons)).toBe("cancelled");
    const trail = await db.selectFrom("audit").select(["action", "detail"]).orderBy("id").execute();
    expect(trail.map((row) => row.action)).toEqual(["pending_run.abandoned", "pending_run.abandoned"]);
    expect(trail[0]?.detail).toContain("host_offline");
  });
});
