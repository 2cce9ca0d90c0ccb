import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { recorded, recordedVersions } from "../testing/recorded.ts";
import { checkTagInput, parseTagLine, tagArgs } from "./tag.ts";

const id = "a".repeat(64);

test("the command line", () => {
  expect(tagArgs({ ids: [id], edit: { add: ["-x"], remove: ["y"] } })).toEqual([
    "tag",
    "--json",
    "--add=-x",
    "--remove=y",
    id,
  ]);
  expect(tagArgs({ ids: [id], edit: { set: ["b", "c"] } })).toEqual([
    "tag",
    "--json",
    "--set=b",
    "--set=c",
    id,
  ]);
  expect(tagArgs({ ids: [id], edit: { set: [] } })).toEqual(["tag", "--json", "--set=", id]);
});

test.each([
  { ids: [], edit: { set: ["a"] } },
  { ids: ["latest"], edit: { set: ["a"] } },
  { ids: ["abcdef01"], edit: { set: ["a"] } },
  { ids: [id], edit: { set: ["a,b"] } },
  { ids: [id], edit: { set: [""] } },
  { ids: [id], edit: { add: [], remove: [] } },
])("%j is refused", (bad) => expect(checkTagInput(bad)).toMatchObject({ code: "invalid_input" }));

describe.each(recordedVersions)("output of %s", (version) => {
  const changed = (name: string): object[] =>
    recorded(version, name).stdout.flatMap((line) => parseTagLine(line) ?? []);

  test("old and new id of each changed snapshot", () => {
    expect(changed("tag_json")).toEqual([
      { old_id: expect.stringMatching(/^[0-9a-f]{64}$/), new_id: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(changed("ao_tag_json")).toEqual([]);
  });
});

test("no line makes the parser throw", () => {
  fc.assert(fc.property(fc.string(), (text) => expect(parseTagLine(text)).toBeUndefined()));
});
