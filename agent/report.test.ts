import { expect, test } from "bun:test";
import { MAX_FRAME_BYTES } from "@restic-manager/protocol/limits";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import { snapshot } from "@restic-manager/restic/commands/snapshots";
import { inParts, toSnapshot } from "./report.ts";

const id = (n: number) => n.toString(16).padStart(64, "0");
const listed = (n: number, more: object = {}) =>
  snapshot.parse({
    id: id(n),
    short_id: id(n).slice(0, 8),
    time: "2026-11-21T12:00:00.123456789+01:00",
    tree: id(7),
    hostname: "a",
    username: "root",
    paths: ["/etc"],
    tags: ["default"],
    ...more,
  });

test("a snapshot somebody made too large for a frame is told with fewer paths, and all that it is", () => {
  // JSON writes six bytes for each of these.
  const hostile = "\u0001".repeat(4_096);
  const huge = listed(1, {
    paths: Array.from({ length: 200 }, () => `/${hostile}`),
    tags: ["default", ...Array.from({ length: 200 }, () => hostile)],
  });
  const [told] = toSnapshot(huge);
  expect(Buffer.byteLength(JSON.stringify(told))).toBeLessThan(MAX_FRAME_BYTES / 4);
  expect(Snapshot.parse(told)).toMatchObject({ id: id(1), paths_total: 200 });
});

test("a list travels in parts that each fit a frame, in order", () => {
  const list = Array.from({ length: 3_000 }, (_, n) =>
    listed(n, { paths: [`/${"x".repeat(3_000)}`] }),
  ).flatMap(toSnapshot);
  const parts = inParts(list);
  expect(parts.flat().map((one) => one.id)).toEqual(list.map((one) => one.id));
  for (const part of parts)
    expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThan(MAX_FRAME_BYTES * 0.75);
});

test("no snapshots are a report too: one empty part", () => {
  expect(inParts([])).toEqual([[]]);
});
