import { expect, test } from "bun:test";
import fc from "fast-check";
import { ResticId, type HostId } from "@restic-manager/protocol/ids";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { addHost, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { thrownBy } from "../testing/thrown.ts";
import { applySnapshotsReport, forgetSnapshots } from "./apply.ts";
import { snapshotChanges } from "./changes.ts";
import { listSnapshots } from "./list.ts";
import type { SnapshotsReport } from "./store.ts";

const hex = (n: number) => ResticId.parse(n.toString(16).padStart(64, "0"));
const snapshot = (n: number, bytes?: number): Snapshot => ({
  id: hex(n),
  time: instant(NOON + n * 1_000),
  hostname: "a",
  tags: ["default"],
  paths: ["/etc"],
  paths_total: 1,
  ...(bytes === undefined
    ? {}
    : {
        summary: {
          files_new: 1,
          files_changed: 0,
          files_unmodified: 0,
          data_added: 1,
          data_added_packed: 1,
          total_files_processed: 1,
          total_bytes_processed: bytes,
          duration_seconds: 1,
        },
      }),
});
const report = (at: number, snapshots: Snapshot[], part = 0, parts = 1): SnapshotsReport => ({
  type: "snapshots.report",
  repository_id: hex(99),
  taken_at: instant(NOON + at),
  part,
  parts,
  snapshots,
});
const apply = (db: Database, id: HostId, one: SnapshotsReport) =>
  db.transaction().execute((trx) => applySnapshotsReport(trx, id, one));
const ids = async (db: Database, id: HostId) =>
  (await listSnapshots(db, id, 1_000, null))?.items.map((one) => Number.parseInt(one.id, 16));

onEveryStore("a snapshot report", (open) => {
  test("replaces the list, newest first, and what the fleet page shows of it", async () => {
    const db = await open();
    const id = await addHost(db);
    expect(await apply(db, id, report(1, [snapshot(1), snapshot(2, 700)]))).toBe(true);
    expect(await ids(db, id)).toEqual([2, 1]);
    expect(await apply(db, id, report(2, [snapshot(3, 900), snapshot(2, 700)]))).toBe(true);
    expect(await ids(db, id)).toEqual([3, 2]);
    const host = await db.selectFrom("hosts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
    expect(host).toMatchObject({
      snapshot_count: 2,
      protected_bytes: 900,
      snapshots_taken_at: NOON + 2,
      repository_id: hex(99),
    });
  });

  test("in parts is swapped in with the last one", async () => {
    const db = await open();
    const id = await addHost(db);
    await apply(db, id, report(1, [snapshot(9)]));
    expect(await apply(db, id, report(2, [snapshot(1)], 0, 3))).toBe(false);
    expect(await apply(db, id, report(2, [snapshot(2)], 1, 3))).toBe(false);
    expect(await ids(db, id)).toEqual([9]);
    expect(await apply(db, id, report(2, [snapshot(3)], 2, 3))).toBe(true);
    expect(await ids(db, id)).toEqual([3, 2, 1]);
    expect(await db.selectFrom("snapshot_parts").selectAll().execute()).toEqual([]);
  });

  test("that was not finished makes way for the next", async () => {
    const db = await open();
    const id = await addHost(db);
    await apply(db, id, report(1, [snapshot(1)], 0, 2));
    await apply(db, id, report(2, [snapshot(2)], 0, 2));
    expect(await apply(db, id, report(2, [snapshot(3)], 1, 2))).toBe(true);
    expect(await ids(db, id)).toEqual([3, 2]);
  });

  test("changes nothing the second time, whole or in parts", async () => {
    const db = await open();
    const id = await addHost(db);
    const parts = [report(1, [snapshot(1)], 0, 2), report(1, [snapshot(2)], 1, 2)];
    const outcomes = [];
    for (const part of [...parts, ...parts]) outcomes.push(await apply(db, id, part));
    expect(outcomes).toEqual([false, true, false, false]);
    expect(await ids(db, id)).toEqual([2, 1]);
    expect(await db.selectFrom("snapshot_parts").selectAll().execute()).toEqual([]);
  });

  test("counts by the order in which it comes, not by the agent's clock", async () => {
    const db = await open();
    const id = await addHost(db);
    await apply(db, id, report(999_999_999, [snapshot(1)]));
    expect(await apply(db, id, report(1, [snapshot(2)]))).toBe(true);
    expect(await ids(db, id)).toEqual([2]);
  });

  test("of nothing empties the list", async () => {
    const db = await open();
    const id = await addHost(db);
    await apply(db, id, report(1, [snapshot(1, 5)]));
    expect(await apply(db, id, report(2, []))).toBe(true);
    expect(await listSnapshots(db, id, 10, null)).toEqual({
      items: [],
      next_cursor: null,
      total: 0,
      taken_at: instant(NOON + 2),
    });
    const host = await db.selectFrom("hosts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
    expect(host.protected_bytes).toBeNull();
  });

  test("of more snapshots than one statement holds arrives whole, and pages show each once", async () => {
    const db = await open();
    const id = await addHost(db);
    await apply(
      db,
      id,
      report(
        1,
        Array.from({ length: 1_000 }, (_, n) => snapshot(n)),
        0,
        2,
      ),
    );
    await apply(db, id, report(1, [snapshot(1_000)], 1, 2));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listSnapshots(db, id, 300, cursor);
      expect(page?.total).toBe(1_001);
      seen.push(...(page?.items.map((one) => one.id) ?? []));
      cursor = page?.next_cursor ?? null;
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 1_001 }, (_, n) => hex(1_000 - n)));
  });

  test("is forgotten with its repository", async () => {
    const db = await open();
    const id = await addHost(db);
    const other = await addHost(db);
    await apply(db, id, report(1, [snapshot(1)]));
    await apply(db, other, report(1, [snapshot(1)]));
    await db.transaction().execute((trx) => forgetSnapshots(trx, id));
    expect(await ids(db, id)).toEqual([]);
    expect(await ids(db, other)).toEqual([1]);
    expect(await apply(db, id, report(1, [snapshot(1)]))).toBe(true);
  });

  test("for a host that is not there is dropped", async () => {
    const db = await open();
    expect(await apply(db, newHostId(), report(1, [snapshot(1)]))).toBe(false);
    expect(await listSnapshots(db, newHostId(), 1, null)).toBeUndefined();
  });

  test("is not read from a place that is none", async () => {
    const db = await open();
    const id = await addHost(db);
    expect(await thrownBy(listSnapshots(db, id, 1, "'; drop table hosts"))).toMatchObject({
      code: "validation_failed",
    });
  });
});

test("the difference of two lists leads from one to the other and writes nothing twice", () => {
  const list = fc.uniqueArray(fc.tuple(fc.nat(8), fc.option(fc.nat(2), { nil: undefined })), {
    selector: ([n]) => n,
  });
  fc.assert(
    fc.property(list, list, (before, after) => {
      const of = (some: typeof before) => some.map(([n, bytes]) => snapshot(n, bytes));
      const rows = (some: Snapshot[]) => snapshotChanges([], some).add;
      const changes = snapshotChanges(rows(of(before)), of(after));
      const kept = rows(of(before)).filter((row) => !changes.remove.includes(row.id));
      const byId = (a: { id: string }, b: { id: string }) => a.id.localeCompare(b.id);
      expect([...kept, ...changes.add].toSorted(byId)).toEqual(rows(of(after)).toSorted(byId));
      expect(snapshotChanges(rows(of(after)), of(after))).toEqual({ remove: [], add: [] });
    }),
  );
});
