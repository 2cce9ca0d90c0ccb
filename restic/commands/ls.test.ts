import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { lineSplitter } from "../lines.ts";
import { parseMessage } from "../message.ts";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { checkLsInput, lsArgs, parseEntry, unixMode, type TreeEntry } from "./ls.ts";

const entriesOf = (lines: readonly string[]): TreeEntry[] =>
  lines.flatMap((line) => {
    const message = parseMessage(line);
    return (message === undefined ? undefined : parseEntry(message)) ?? [];
  });

test("snapshot and folder stand behind the options", () => {
  expect(lsArgs({ snapshotId: "abcdef01" })).toEqual(["ls", "--json", "--no-lock", "--", "abcdef01"]);
  const folder = "/a b/*";
  expect(lsArgs({ snapshotId: "abcdef01", folder, recursive: true }).slice(3)).toEqual([
    "--recursive",
    "--",
    "abcdef01",
    folder,
  ]);
});

test.each([
  { snapshotId: "latest" },
  { snapshotId: "abcdef01:/x" },
  { snapshotId: "--all" },
  { snapshotId: "abcdef01", folder: "relative" },
  { snapshotId: "abcdef01", folder: "/caf\ufffd" },
  { snapshotId: "abcdef01", folder: "/a\0b" },
])("%j is refused", (bad) => expect(checkLsInput(bad)).toMatchObject({ code: "invalid_input" }));

describe.each(recordedVersions)("output of %s", (version) => {
  test("every entry, whatever its kind and name", () => {
    const entries = entriesOf(recorded(version, "ls_json").stdout);
    expect(entries.length).toBe(recorded(version, "ls_json").stdout.length - 1);
    expect(entries).toContainEqual(
      expect.objectContaining({
        path: "/srv/src/docs/doc1.txt",
        type: "file",
        size: 4400,
        mode: 0o644,
        uid: 65534,
      }),
    );
    expect(entries.map((entry) => entry.name)).toContain("bad\ufffd.bin");
    expect(new Set(entries.map((entry) => entry.type))).toEqual(new Set(["dir", "file", "symlink", "other"]));
    for (const { mtime_ms } of entries) expect(mtime_ms).toBeGreaterThan(Date.parse("2026-01-01"));
  });

  test("a folder that is not there has no entries", () => {
    expect(entriesOf(recorded(version, "ls_dir_missing_json").stdout)).toEqual([]);
  });
});

test("Go's modes become those of chmod", () => {
  expect(unixMode(2147484141)).toBe(0o755);
  expect(unixMode(2148532735)).toBe(0o1777);
  expect(unixMode(12583405)).toBe(0o6755);
  expect(unixMode(134218239)).toBe(0o777);
});

test("any cut of the stream gives the same entries", () => {
  const name = fc.string({ unit: "binary", maxLength: 20 });
  const lines = fc.array(
    fc.record({
      message_type: fc.constant("node"),
      name,
      path: name.map((text) => `/${text}`),
      type: fc.constantFrom("file", "dir", "symlink", "fifo"),
      size: fc.nat(),
      mode: fc.nat(),
      mtime: fc.constantFrom("2026-11-21T00:04:54.119614835+01:00", "", "never"),
    }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(4000), { maxLength: 30 }), (nodes, cuts) => {
      const text = nodes.map((node) => `${JSON.stringify(node)}\n`);
      const bytes = Buffer.from(text.join(""));
      const splitter = lineSplitter();
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
      const seen = at
        .slice(1)
        .flatMap((end, i) => splitter.push(bytes.subarray(at[i], end)))
        .concat(splitter.end());
      expect(entriesOf(seen.map((line) => line.text))).toEqual(entriesOf(text));
    }),
  );
});

test("no field of any kind makes the parser throw", () => {
  const node = fc.record({
    message_type: fc.constant("node"),
    path: fc.jsonValue(),
    name: fc.jsonValue(),
    type: fc.jsonValue(),
    size: fc.jsonValue(),
    mode: fc.jsonValue(),
    mtime: fc.jsonValue(),
  });
  fc.assert(
    fc.property(node, (message) => {
      const entry = parseEntry(message);
      if (entry === undefined) return;
      expect(entry.size).toBeGreaterThanOrEqual(0);
      expect(entry.mode).toBeLessThanOrEqual(0o7777);
      expect(Number.isFinite(entry.mtime_ms)).toBe(true);
    }),
  );
});
