import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { z } from "zod";
import { hasFeature } from "../features.ts";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { repositoryConfig } from "./cat-config.ts";
import { initialized } from "./init.ts";
import { isProvablyOwnStale, lockFile, parseLockId } from "./list-locks.ts";
import { snapshot, snapshotsArgs } from "./snapshots.ts";
import { rawDataStats } from "./stats.ts";
import { parseRemovedLocks } from "./unlock.ts";
import { parseVersion } from "./version.ts";

describe.each(recordedVersions)("output of %s", (version) => {
  const document = (name: string): unknown => JSON.parse(recorded(version, name).stdout.join("\n"));

  test("version", () => {
    expect(parseVersion(recorded(version, "version_json").stdout)).toBe(
      version === "0.18" ? "0.18.0" : "0.19.1",
    );
  });

  test("init and cat config name the same repository", () => {
    const { id } = initialized.parse(document("init_json"));
    expect(repositoryConfig.parse(document("cat_config_json"))).toEqual({ id, version: 2 });
  });

  test("snapshots, with what their backups counted", () => {
    const list = z.array(snapshot).parse(document("snapshots_json"));
    expect(list.length).toBeGreaterThan(10);
    expect(list[0]).toMatchObject({
      hostname: "client1",
      paths: ["/srv/src"],
      tags: ["plan:home"],
      excludes: [],
      summary: { files_new: 20, total_bytes_processed: 2896895 },
    });
    expect(list[1]?.parent).toBe(list[0]?.id ?? "");
    expect(z.array(snapshot).parse(document("snapshots_empty_json"))).toEqual([]);
  });

  test("stats, of a full and an empty repository", () => {
    expect(rawDataStats.parse(document("stats_raw-data_json"))).toMatchObject({ snapshots_count: 14 });
    expect(rawDataStats.parse(document("stats_empty_rawdata_json"))).toEqual({
      total_size: 0,
      snapshots_count: 0,
    });
  });

  test("a lock", () => {
    expect(lockFile.parse(document("lock_cat"))).toMatchObject({
      exclusive: false,
      hostname: "client1",
      username: "root",
    });
  });

  test("unlock counts what it removed", () => {
    const removed = (name: string): number =>
      recorded(version, name).stdout.reduce((sum, line) => sum + (parseRemovedLocks(line) ?? 0), 0);
    expect(removed("stale_unlock")).toBe(1);
    expect(removed("lock_unlock_live")).toBe(0);
  });
});

test("the text of an old restic's version is understood", () => {
  expect(parseVersion(recorded("0.14", "version_json").stdout)).toBe("0.14.0");
  expect(parseVersion(["something else"])).toBeUndefined();
});

test("a snapshot with a broken summary stays in the list", () => {
  const parsed = snapshot.parse({
    id: "a",
    short_id: "a",
    time: "t",
    tree: "x",
    paths: null,
    summary: "broken",
  });
  expect(parsed).toMatchObject({ id: "a", paths: [], tags: [] });
  expect(parsed.summary).toBeUndefined();
});

test("filters are options with their value attached", () => {
  expect(snapshotsArgs({ host: "-h", tag: "--x" })).toEqual([
    "snapshots",
    "--json",
    "--no-lock",
    "--host=-h",
    "--tag=--x",
  ]);
});

test("only a whole id is an id", () => {
  expect(parseLockId("a".repeat(64))).toBe("a".repeat(64));
  for (const text of ["", "a".repeat(63), "repository opened", "g".repeat(64)])
    expect(parseLockId(text)).toBeUndefined();
});

test.each([
  ["0.18.0", true],
  ["0.18.0-dev (compiled manually)", true],
  ["0.19.1", true],
  ["1.0.0", true],
  ["0.17.3", false],
  ["0.9.6", false],
  ["", false],
  ["restic", false],
])("%s can be driven: %p", (version, expected) => expect(hasFeature(version, "driving")).toBe(expected));

test("a lock is provably own and stale only with our host name and a dead pid", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer(), fc.boolean(), (ours, theirs, pid, alive) => {
      const stale = isProvablyOwnStale({ hostname: theirs, pid }, { hostname: ours, pidAlive: () => alive });
      expect(stale).toBe(ours === theirs && ours !== "" && pid > 0 && !alive);
    }),
  );
  expect(isProvablyOwnStale({ hostname: "a", pid: 7 }, { hostname: "a", pidAlive: (pid) => pid !== 7 })).toBe(
    true,
  );
});
