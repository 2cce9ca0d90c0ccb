import { expect, test } from "bun:test";
import fc from "fast-check";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { HostId } from "@restic-manager/protocol/ids";
import { runs } from "@restic-manager/protocol/testing/hostile";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { testClock } from "../testing/clock.ts";
import { testParts } from "../testing/parts.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { refreshHost } from "./refresh.ts";
import { SummaryBoard } from "./summary-board.ts";

const HOUR = 3600_000;
const ok = { state: "ok" } as const;

/** What a server says that has just been started. */
async function fleetFigures(db: Database, now: number): Promise<FleetSummary> {
  const { bus } = testParts(db);
  return await new SummaryBoard({ db, clock: testClock(now), bus, storeState: () => ok }).ask();
}

onEveryStore("the fleet's summary", (open) => {
  test("of nothing is all zeros", async () => {
    const summary = await fleetFigures(await open(), NOON);
    expect(FleetSummary.parse(summary)).toEqual(summary);
    expect(summary).toMatchObject({ hosts: 0, online: 0, stored_bytes: 0, problems: [] });
    expect(summary.runs).toHaveLength(48);
    expect(summary.runs.at(-1)).toEqual({ at: instant(NOON), succeeded: 0, issues: 0, failed: 0 });
  });

  test("adds up hosts, and a shared repository once", async () => {
    const db = await open();
    const shared = { repository_id: "f".repeat(64), stored_bytes: 100 };
    await addHost(db, { ...shared, protected_bytes: 5, last_success_at: NOON - HOUR });
    await addHost(db, { ...shared, protected_bytes: 6, last_success_at: NOON - 25 * HOUR, online: 0 });
    await addHost(db, { stored_bytes: 7, repository_id: "e".repeat(64) });
    expect(await fleetFigures(db, NOON)).toMatchObject({
      hosts: 3,
      online: 2,
      backed_up_24h: 1,
      protected_bytes: 11,
      stored_bytes: 107,
    });
  });

  test("counts jobs and draws ended backups by half hour", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, id, "running");
    await addJob(db, id, "queued");
    await addJob(db, id, "queued", { kind: "init" });
    await addJob(db, id, "succeeded", { finished_at: NOON - HOUR });
    await addJob(db, id, "succeeded", { finished_at: NOON - HOUR + 1, issue_count: 2 });
    await addJob(db, id, "failed", { finished_at: NOON });
    await addJob(db, id, "cancelled", { finished_at: NOON });
    await addJob(db, id, "succeeded", { finished_at: NOON, kind: "init" });
    await addJob(db, id, "succeeded", { finished_at: NOON - 24 * HOUR });
    await addJob(db, id, "succeeded", { finished_at: NOON + HOUR });
    const { running_jobs, queued_jobs, runs } = await fleetFigures(db, NOON);
    expect([running_jobs, queued_jobs]).toEqual([1, 2]);
    expect(runs.filter((half) => half.succeeded + half.issues + half.failed > 0)).toEqual([
      { at: instant(NOON - HOUR), succeeded: 1, issues: 1, failed: 0 },
      { at: instant(NOON), succeeded: 0, issues: 0, failed: 1 },
    ]);
  });

  test("groups trouble by cause, the most urgent first, and names five hosts of each", async () => {
    const db = await open();
    for (let n = 0; n < 7; n++) await addHost(db, { name: `off-${n}`, online: 0, last_seen_at: NOON - n });
    const message = (text: string) => JSON.stringify({ code: "repository_full", message: text });
    await addJob(db, await addHost(db, { name: "full-b" }), "failed", { error: message("vault is full") });
    await addJob(db, await addHost(db, { name: "full-a" }), "failed", { error: message("vault is full") });
    await addJob(db, await addHost(db, { name: "locked" }), "failed", {
      error: JSON.stringify({ code: "repository_locked", message: "locked by PID 7" }),
    });
    await addHost(db, { name: "bare", restic_state: "missing" });
    for (const { id } of await db.selectFrom("hosts").select("id").execute())
      await db.transaction().execute((trx) => refreshHost(trx, id));

    const { problems, counts } = await fleetFigures(db, NOON);
    expect(
      problems.map(({ code, status, host_count, message: words, hosts }) => [
        code,
        status,
        host_count,
        words,
        hosts.map((host) => host.name),
      ]),
    ).toEqual([
      ["repository_full", "failed", 2, "vault is full", ["full-a", "full-b"]],
      ["repository_locked", "failed", 1, "locked by PID 7", ["locked"]],
      ["restic_missing", "restic", 1, "restic is not installed on this machine", ["bare"]],
      ["offline", "offline", 7, "the agent is not connected", ["off-0", "off-1", "off-2", "off-3", "off-4"]],
    ]);
    expect(problems.at(-1)?.since).toBe(instant(NOON - 6));
    expect(counts).toMatchObject({ failed: 3, restic: 1, offline: 7, protected: 0 });
  });

  test("says what is common when hosts tell one cause differently", async () => {
    const db = await open();
    for (const pid of [7, 8]) {
      const id = await addHost(db);
      const error = JSON.stringify({ code: "repository_locked", message: `locked by PID ${pid}` });
      await addJob(db, id, "failed", { error });
      await db.transaction().execute((trx) => refreshHost(trx, id));
    }
    const { problems } = await fleetFigures(db, NOON);
    expect(problems[0]?.message).toBe("the repository is locked by another operation");
  });

  test("is worked out once however many ask, and anew after a change that was told of", async () => {
    const db = await open();
    const { clock, bus } = testParts(db);
    const board = new SummaryBoard({ db, clock, bus, storeState: () => ok });
    const id = await addHost(db);
    const [first, second] = await Promise.all([board.ask(), board.ask()]);
    expect([first.hosts, second.hosts]).toEqual([1, 1]);
    expect(second.runs).toBe(first.runs);
    const other = await addHost(db);
    expect((await board.ask()).runs).toBe(first.runs);
    bus.publish("host.changed", { hostId: other });
    expect((await board.ask()).hosts).toBe(2);
    await db.deleteFrom("hosts").where("id", "=", id).execute();
    bus.publish("host.removed", { hostId: id });
    expect((await board.ask()).hosts).toBe(1);
  });

  test("finds what changed without a word after a minute, and at once when words of others may have been missed", async () => {
    const db = await open();
    const { clock, bus } = testParts(db);
    const board = new SummaryBoard({ db, clock, bus, storeState: () => ok });
    expect((await board.ask()).hosts).toBe(0);
    await addHost(db);
    clock.advance(5_000);
    expect((await board.ask()).hosts).toBe(0);
    clock.advance(55_000);
    expect((await board.ask()).hosts).toBe(1);
    await addHost(db);
    bus.publish("bus.resync", {});
    expect((await board.ask()).hosts).toBe(2);
  });

  test("says after any changes what a server says that reads everything anew", async () => {
    const db = await open();
    const hosts: HostId[] = [];
    const step = fc.oneof(
      fc.record({ do: fc.constant("host" as const), shared: fc.boolean(), bytes: fc.nat(1_000) }),
      fc.record({ do: fc.constant("remove" as const), which: fc.nat(20) }),
      fc.record({
        do: fc.constant("online" as const),
        which: fc.nat(20),
        online: fc.integer({ min: 0, max: 1 }),
      }),
      fc.record({
        do: fc.constant("run" as const),
        which: fc.nat(20),
        state: fc.constantFrom(
          "succeeded" as const,
          "failed" as const,
          "cancelled" as const,
          "running" as const,
        ),
        ago: fc.nat(26 * HOUR),
        issues: fc.nat(2),
      }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.nat(2 * HOUR) }),
      fc.record({ do: fc.constant("set back" as const), ms: fc.nat(4 * HOUR) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        await db.deleteFrom("hosts").execute();
        hosts.length = 0;
        const { clock, bus } = testParts(db);
        const board = new SummaryBoard({ db, clock, bus, storeState: () => ok });
        await board.ask();
        const refreshed = async (id: HostId) => {
          await db.transaction().execute((trx) => refreshHost(trx, id));
          bus.publish("host.changed", { hostId: id });
        };
        for (const one of steps) {
          const id = "which" in one ? hosts[one.which % Math.max(1, hosts.length)] : undefined;
          if (one.do === "host") {
            const repository_id = one.shared ? "f".repeat(64) : null;
            const made = await addHost(db, { repository_id, stored_bytes: one.bytes, protected_bytes: 1 });
            hosts.push(made);
            await refreshed(made);
          } else if (one.do === "wait") clock.advance(5_000 + one.ms);
          else if (one.do === "set back") {
            clock.set(-one.ms);
            clock.advance(5_000);
          } else if (id === undefined) continue;
          else if (one.do === "remove") {
            await db.deleteFrom("hosts").where("id", "=", id).execute();
            hosts.splice(hosts.indexOf(id), 1);
            bus.publish("host.removed", { hostId: id });
          } else if (one.do === "online") {
            await db.updateTable("hosts").set({ online: one.online }).where("id", "=", id).execute();
            await refreshed(id);
          } else {
            const finished_at = one.state === "running" ? null : clock.now() - one.ago;
            const jobId = await addJob(db, id, one.state, { finished_at, issue_count: one.issues });
            bus.publish("job.changed", { jobId, hostId: id });
            await refreshed(id);
          }
          expect(await board.ask()).toEqual(await fleetFigures(db, clock.now()));
        }
      }),
      runs(30),
    );
  });

  test("does not answer from before a change that came while it was worked out", async () => {
    const db = await open();
    const { clock, bus } = testParts(db);
    const board = new SummaryBoard({ db, clock, bus, storeState: () => ok });
    const early = board.ask();
    const id = await addHost(db);
    bus.publish("host.changed", { hostId: id });
    expect((await board.ask()).hosts).toBe(1);
    await early;
  });
});
