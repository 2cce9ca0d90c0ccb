import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ResticId } from "@restic-manager/protocol/ids";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { anomalyInWords } from "./anomaly-words.ts";
import { calendarWeeks, dayOf } from "./calendar.ts";
import { growthOf } from "./growth-points.ts";
import { filtered, predecessorOf, SNAPSHOT_SORTS, sorted } from "./snapshot-list.ts";

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = 86_400_000;
const MIB = 1024 ** 2;

function snapshot(n: number, given: Partial<Snapshot> = {}, added = 10 * MIB, changed = 20): Snapshot {
  return {
    id: ResticId.parse(n.toString(16).padStart(64, "0")),
    time: new Date(NOON - n * DAY).toISOString(),
    hostname: "a",
    tags: ["default"],
    paths: ["/etc"],
    paths_total: 1,
    summary: {
      files_new: 0,
      files_changed: changed,
      files_unmodified: 5,
      data_added: added,
      data_added_packed: added,
      total_files_processed: 100,
      total_bytes_processed: 1_000 + n,
      duration_seconds: n,
    },
    ...given,
  };
}

describe("the calendar", () => {
  const anyTimes = fc.array(fc.integer({ min: NOON - 400 * DAY, max: NOON }), { maxLength: 50 });
  const zones = fc.constantFrom("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Apia");

  test("holds every snapshot of its weeks once, and today is in its last column", () => {
    fc.assert(
      fc.property(anyTimes, fc.integer({ min: 1, max: 60 }), zones, (times, weeks, zone) => {
        const made = calendarWeeks(times, NOON, weeks, zone);
        const days = made.flat();
        expect(days.length).toBe(weeks * 7);
        expect(new Set(days.map(({ date }) => date)).size).toBe(weeks * 7);
        expect(made.at(-1)?.some(({ date }) => date === dayOf(NOON, zone))).toBe(true);
        const first = days[0]?.date ?? "";
        const within = times.filter((at) => dayOf(at, zone) >= first).length;
        expect(days.reduce((sum, { count }) => sum + count, 0)).toBe(within);
        for (const { count, level } of days) expect(count === 0).toBe(level === 0);
      }),
    );
  });

  test("begins its weeks on Monday", () => {
    const [week] = calendarWeeks([], NOON, 1, "UTC");
    expect(week?.[0]?.date).toBe("2026-11-16");
    expect(week?.[6]).toMatchObject({ date: "2026-11-22", future: true });
  });
});

describe("growth", () => {
  test("never falls, ends at what all of them added, and counts every one however few points it has", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 900 }), (added) => {
        const { count, points } = growthOf(added.map((bytes, n) => snapshot(n, {}, bytes)));
        expect(count).toBe(added.length);
        expect(points.length).toBeLessThanOrEqual(301);
        const sums = points.map(({ sum }) => sum);
        expect(sums).toEqual(sums.toSorted((a, b) => a - b));
        expect(sums.at(-1) ?? 0).toBe(added.reduce((sum, one) => sum + one, 0));
      }),
      { numRuns: 30 },
    );
  });
});

describe("the list", () => {
  const some = fc
    .uniqueArray(fc.nat(50), { maxLength: 12 })
    .map((ns) =>
      ns.map((n) => (n % 5 === 0 ? { ...snapshot(n), summary: undefined } : snapshot(n)) as Snapshot),
    );

  test("sorted is the same snapshots, and backwards again the same", () => {
    fc.assert(
      fc.property(some, fc.constantFrom(...SNAPSHOT_SORTS), (snapshots, by) => {
        const up = sorted(snapshots, by, "asc").map(({ id }) => id);
        expect(up.toSorted()).toEqual(snapshots.map(({ id }) => id).toSorted());
        const lacking = by === "time" ? 0 : snapshots.filter(({ summary }) => summary === undefined).length;
        const known = sorted(snapshots, by, "desc").map(({ id }) => id);
        if (new Set(snapshots.map((one) => one.time)).size === snapshots.length && by === "time")
          expect(known).toEqual(up.toReversed());
        expect(known.slice(known.length - lacking).toSorted()).toEqual(
          up.slice(up.length - lacking).toSorted(),
        );
      }),
    );
  });

  test("is narrowed by id, tag, path and day", () => {
    const odd = { what: "added", value: 9, usual: 1, limit: 3 } as const;
    const all = [
      snapshot(1),
      snapshot(2, { tags: ["db"], paths: ["/srv/Dump"] }),
      { ...snapshot(3), anomalies: [odd] },
    ];
    const ids = (filter: Parameters<typeof filtered>[1]) =>
      filtered(all, filter, "UTC").map(({ id }) => Number.parseInt(id, 16));
    expect(ids({ q: "dump" })).toEqual([2]);
    expect(ids({ tag: "default" })).toEqual([1, 3]);
    expect(ids({ day: "2026-11-19" })).toEqual([2]);
    expect(ids({ q: "0".repeat(63) })).toEqual([1, 2, 3]);
    expect(ids({ odd: true })).toEqual([3]);
  });

  test("knows which one came before another of the same tags and paths", () => {
    const all = [snapshot(1), snapshot(2, { tags: ["db"] }), snapshot(3), snapshot(4)];
    const [newest] = all;
    expect(newest === undefined ? "" : predecessorOf(all, newest)?.id).toBe(snapshot(3).id);
    expect(predecessorOf(all, snapshot(4))).toBeUndefined();
  });
});

test("what stands out is put into words, above the usual and below", () => {
  const words = anomalyInWords({ what: "added", value: 900 * MIB, usual: 100 * MIB, limit: 300 * MIB });
  expect(words).toBe("900 MiB added before compression, usually 100 MiB; up to 300 MiB would be ordinary");
  expect(anomalyInWords({ what: "changed", value: 0, usual: 1_000, limit: 333.4 })).toBe(
    "only 0 files new or changed, usually 1,000 files; from 334 files on would be ordinary. Look whether the source was emptied, or is not mounted",
  );
});
