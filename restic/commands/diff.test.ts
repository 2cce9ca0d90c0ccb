import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseMessage } from "../message.ts";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { diffArgs, parseChange, parseStatistics } from "./diff.ts";

test("the command line counts metadata as a change", () => {
  expect(diffArgs({ from: "abcdef01", to: "abcdef02" })).toEqual([
    "diff",
    "--json",
    "--no-lock",
    "--metadata",
    "--",
    "abcdef01",
    "abcdef02",
  ]);
});

describe.each(recordedVersions)("output of %s", (version) => {
  test("changes and sums", () => {
    const messages = recorded(version, "diff_json").stdout.flatMap((line) => parseMessage(line) ?? []);
    expect(messages.flatMap((message) => parseChange(message) ?? [])).toEqual([
      { path: "/srv/src/unreadable", is_folder: true, kind: "removed", suspicious: false },
      { path: "/srv/src/unreadable/x", is_folder: false, kind: "removed", suspicious: false },
    ]);
    expect(messages.flatMap((message) => parseStatistics(message) ?? [])).toEqual([
      {
        changed_files: 0,
        added: { files: 0, folders: 0, others: 0, bytes: 1788 },
        removed: { files: 1, folders: 1, others: 0, bytes: 2484 },
      },
    ]);
  });
});

test.each([
  ["+", "added", false],
  ["-", "removed", false],
  ["M", "modified", false],
  ["M?", "modified", true],
  ["U", "metadata", false],
  ["T", "type_changed", false],
  ["TU", "type_changed", false],
])("%s is %s", (modifier, kind, suspicious) => {
  expect(parseChange({ message_type: "change", path: "/a/", modifier })).toEqual({
    path: "/a",
    is_folder: true,
    kind: kind as "added",
    suspicious,
  });
});

test("no message makes the parsers throw", () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.jsonValue(),
      fc.constantFrom("change", "statistics"),
      (path, modifier, type) => {
        parseChange({ message_type: type, path, modifier });
        parseStatistics({ message_type: type, changed_files: path, added: modifier, removed: {} });
      },
    ),
  );
});
