import { expect, test } from "bun:test";
import fc from "fast-check";
import { ResticId } from "@restic-manager/protocol/ids";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { anomaliesOf, groupOf } from "./anomaly.ts";

const MB = 1024 * 1024;
const snapshot = (data_added: number, files_changed: number): Snapshot => ({
  id: ResticId.parse("a".repeat(64)),
  time: "2026-11-21T00:00:00.000Z",
  hostname: "a",
  tags: ["t"],
  paths: ["/srv"],
  paths_total: 1,
  summary: {
    files_new: 0,
    files_changed,
    files_unmodified: 0,
    data_added,
    data_added_packed: data_added,
    total_files_processed: 0,
    total_bytes_processed: 0,
    duration_seconds: 1,
  },
});
const usual = Array.from({ length: 10 }, (_, n) => snapshot((100 + n) * MB, 1_000 + 10 * n));

test("much more than the group's usual is marked, with what would have been ordinary", () => {
  expect(anomaliesOf(snapshot(120 * MB, 1_100), usual)).toEqual([]);
  expect(anomaliesOf(snapshot(5_000 * MB, 90_000), usual)).toMatchObject([
    { what: "added", value: 5_000 * MB, usual: 104.5 * MB },
    { what: "changed", value: 90_000, usual: 1_045 },
  ]);
});

test("a group that always added much and now adds nearly nothing is marked, as one whose changes collapse", () => {
  expect(anomaliesOf(snapshot(0, 0), usual)).toMatchObject([
    { what: "added", value: 0, usual: 104.5 * MB },
    { what: "changed", value: 0, usual: 1_045 },
  ]);
  expect(anomaliesOf(snapshot(100 * MB, 3), usual)).toMatchObject([{ what: "changed", value: 3 }]);
  // A limit below the usual says from where on it would have been ordinary.
  for (const { value, usual: middle, limit } of anomaliesOf(snapshot(0, 0), usual)) {
    expect(limit).toBeGreaterThan(value);
    expect(limit).toBeLessThan(middle);
  }
  const wide = [2_000, 300, 900, 4_000, 500, 1_500, 700].map((size) => snapshot(size * MB, 0));
  expect(anomaliesOf(snapshot(100 * MB, 0), wide)).toEqual([]);
  expect(anomaliesOf(snapshot(1 * MB, 0), wide)).toMatchObject([{ what: "added" }]);
  // It is still empty the next day.
  expect(anomaliesOf(snapshot(0, 0), [snapshot(0, 0), ...usual])).toHaveLength(2);
});

test("little in a group that is used to little, or that rests at weekends, is ordinary", () => {
  const little = Array.from({ length: 10 }, () => snapshot(10 * MB, 90));
  expect(anomaliesOf(snapshot(0, 0), little)).toEqual([]);
  const week = Array.from({ length: 28 }, (_, n) => (n % 7 < 2 ? snapshot(0, 0) : snapshot(900 * MB, 5_000)));
  expect(anomaliesOf(snapshot(0, 0), week)).toEqual([]);
});

test("a steady series is never marked", () => {
  const steady = fc.tuple(fc.nat(10_000), fc.nat(5_000_000)).chain(([mb, files]) =>
    fc
      .array(
        fc.tuple(fc.double({ min: 1, max: 2, noNaN: true }), fc.double({ min: 1, max: 2, noNaN: true })),
        {
          minLength: 1,
          maxLength: 31,
        },
      )
      .map((days) => days.map(([a, b]) => snapshot(Math.round(a * mb * MB), Math.round(b * files)))),
  );
  fc.assert(
    fc.property(steady, (days) => {
      for (const [n, day] of days.entries()) expect(anomaliesOf(day, days.slice(n + 1))).toEqual([]);
    }),
  );
});

test("the first ones of a group, quiet groups, and one odd day before change nothing", () => {
  expect(anomaliesOf(snapshot(5_000 * MB, 90_000), usual.slice(0, 4))).toEqual([]);
  const quiet = Array.from({ length: 10 }, () => snapshot(0, 0));
  expect(anomaliesOf(snapshot(1 * MB, 20), quiet)).toEqual([]);
  expect(anomaliesOf(snapshot(5_000 * MB, 20), quiet)).toMatchObject([{ what: "added" }]);
  expect(anomaliesOf(snapshot(5_000 * MB, 1_000), [snapshot(9_000 * MB, 1_000), ...usual])).toHaveLength(1);
  const { summary: _none, ...without } = snapshot(0, 0);
  expect(anomaliesOf(without, usual)).toEqual([]);
});

test("what is within the range of those before is never marked", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(10_000 * MB), { minLength: 1, maxLength: 40 }),
      fc.nat(1_000),
      (sizes, at) => {
        const before = sizes.map((size) => snapshot(size, 0));
        // One in ten may be odd.
        const low = Math.floor(before.length / 10);
        const middle = (sizes.length - 1) / 2;
        const place = low + Math.floor((at / 1_000) * Math.max(0, middle - low));
        const ordinary = sizes.toSorted((a, b) => a - b)[place] ?? 0;
        const found = anomaliesOf(snapshot(ordinary, 0), before.slice(0, 30));
        if (sizes.length <= 30) expect(found).toEqual([]);
      },
    ),
  );
});

test("a group is the same machine, folders and tags, in any order", () => {
  const one = { ...snapshot(0, 0), tags: ["a", "b"], paths: ["/x", "/y"] };
  expect(groupOf(one)).toBe(groupOf({ ...one, tags: ["b", "a"], paths: ["/y", "/x"] }));
  expect(groupOf(one)).not.toBe(groupOf({ ...one, tags: ["a"] }));
});
