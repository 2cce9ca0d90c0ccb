import { describe, expect, test } from "bun:test";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { checkFindInput, findArgs, findDocument, versionsOf } from "./find.ts";

test("a path is taken literally, a pattern is not", () => {
  expect(findArgs({ what: { path: "/a*[b]\\?" }, host: "h", tag: "t", snapshotIds: ["abcdef01"] })).toEqual([
    "find",
    "--json",
    "--no-lock",
    "--host=h",
    "--tag=t",
    "--snapshot=abcdef01",
    "--",
    "/a\\*\\[b\\]\\\\\\?",
  ]);
  expect(findArgs({ what: { pattern: "-*.conf", ignoreCase: true } }).slice(3)).toEqual([
    "--ignore-case",
    "--",
    "-*.conf",
  ]);
});

test.each([
  { what: { path: "a" } },
  { what: { path: "/" } },
  { what: { pattern: "" } },
  { what: { pattern: "a\0" } },
  { what: { pattern: "a" }, snapshotIds: ["latest"] },
])("%j is refused", (bad) => expect(checkFindInput(bad)).toMatchObject({ code: "invalid_input" }));

describe.each(recordedVersions)("output of %s", (version) => {
  const replay = (name: string, what: Parameters<typeof versionsOf>[1]): ReturnType<typeof versionsOf> =>
    versionsOf(findDocument.parse(JSON.parse(recorded(version, name).stdout.join("\n"))), what);

  test("one version per snapshot", () => {
    const path = "/srv/src/docs/doc1.txt";
    const versions = replay("find_json", { path });
    expect(versions.length).toBeGreaterThan(5);
    expect(new Set(versions.map((v) => v.snapshot_id)).size).toBe(versions.length);
    expect(versions[0]).toMatchObject({ path, type: "file", size: 4400, mode: 0o644, uid: 65534 });
    expect(replay("find_json", { path: "/srv/src/docs" })).toEqual([]);
    expect(replay("find_none_json", { pattern: "zzzz*" })).toEqual([]);
  });
});
