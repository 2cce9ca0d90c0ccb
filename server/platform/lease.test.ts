import { expect, test } from "bun:test";
import { sql } from "kysely";
import { testClock, type TestClock } from "../testing/clock.ts";
import { onEveryStore } from "../testing/stores.ts";
import type { Database } from "./db/schema.ts";
import { storeTime } from "./db/store-time.ts";
import { LEASE_MS, sharedLeases, soleLeases, type Leases } from "./lease.ts";

/** Servers on one store, whose leases end by the test's clock. */
function servers(db: Database, clock: TestClock) {
  const errors: unknown[] = [];
  const joined: Leases[] = [];
  const join = async (node: string) => {
    const gone: string[] = [];
    let lapses = 0;
    const leases = await sharedLeases({
      db,
      clock,
      time: () => sql<number>`cast(${clock.now()} as double precision)`,
      node,
      name: node,
      onError: (error) => void errors.push(error),
      changed: (change) => void gone.push(...change.gone),
      lapsed: () => void (lapses += 1),
    });
    joined.push(leases);
    return { leases, gone, lapses: () => lapses };
  };
  /** Lets time pass in small steps, in each of which every server gets its turn. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(Math.min(left, 500));
      for (const leases of joined) await leases.settled();
    }
  };
  return { join, pass, errors };
}
const counting = (leases: Leases, ms = 1_000) => {
  let count = 0;
  leases.every("tick", ms, async () => void (count += 1));
  return () => count;
};

onEveryStore("servers that share a store", (open) => {
  test("one of them does the work, and only one", async () => {
    const [db, clock] = [await open(), testClock()];
    const { join, pass, errors } = servers(db, clock);
    const [a, b] = [await join("a"), await join("b")];
    const [byA, byB] = [counting(a.leases), counting(b.leases)];
    await pass(20_000);
    expect(Math.min(byA(), byB())).toBe(0);
    expect(Math.max(byA(), byB())).toBeGreaterThan(15);
    expect(a.leases.live()).toEqual(["a", "b"]);
    expect(errors).toEqual([]);
    await a.leases.stop();
    await b.leases.stop();
    expect(clock.pending()).toBe(0);
  });

  test("another takes over within seconds of a death, and says who is gone", async () => {
    const [db, clock] = [await open(), testClock()];
    const { join, pass } = servers(db, clock);
    const a = await join("a");
    const byA = counting(a.leases);
    await pass(4_000);
    const b = await join("b");
    const byB = counting(b.leases);
    await pass(4_000);
    expect([byA() > 3, byB()]).toEqual([true, 0]);
    // A death: it renews nothing any more, and does not say goodbye.
    await a.leases.stop();
    await pass(LEASE_MS + 4_000);
    expect(byB()).toBeGreaterThan(0);
    expect(b.gone).toEqual(["a"]);
    expect(b.leases.live()).toEqual(["b"]);
    await b.leases.stop();
  });

  test("one that leaves hands over at once", async () => {
    const [db, clock] = [await open(), testClock()];
    const { join, pass } = servers(db, clock);
    const a = await join("a");
    counting(a.leases);
    await pass(4_000);
    const b = await join("b");
    const byB = counting(b.leases);
    await a.leases.release();
    await pass(3_000);
    expect(byB()).toBeGreaterThan(0);
    await a.leases.stop();
    await b.leases.stop();
  });

  test("one that cannot reach the store stops its work before another begins it", async () => {
    const [db, clock] = [await open(), testClock()];
    const { join, pass } = servers(db, clock);
    const a = await join("a");
    const byA = counting(a.leases, 500);
    await pass(4_000);
    // As seen by the others: nothing of it is renewed, while it itself goes on.
    clock.advance(LEASE_MS);
    const before = byA();
    clock.advance(500);
    expect(byA()).toBe(before);
    await pass(3_000);
    expect(a.lapses()).toBe(1);
    expect(byA()).toBeGreaterThan(before);
    await a.leases.stop();
  });
});

test("a server alone does all the work and writes nothing", async () => {
  const clock = testClock();
  const leases = soleLeases(clock, "a", () => undefined);
  const count = counting(leases);
  clock.advance(1_000);
  await Bun.sleep(0);
  clock.advance(1_000);
  expect(count()).toBe(2);
  await leases.stop();
  expect(clock.pending()).toBe(0);
});

onEveryStore("the time by which leases end", (open, kind) => {
  test("is the database's own where many servers share it", async () => {
    const [db, clock] = [await open(), testClock(1_000)];
    const { rows } = await sql<{ now: number }>`select ${storeTime(db, clock)()} as now`.execute(db);
    const now = rows[0]?.now ?? 0;
    if (kind === "sqlite") expect(now).toBe(1_000);
    else expect(Math.abs(now - Date.now())).toBeLessThan(60_000);
  });
});
