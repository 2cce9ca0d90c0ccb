import { expect, test } from "bun:test";
import { checkDumpInput, dumpArgs } from "./dump.ts";

test("the path stands behind the options", () => {
  expect(dumpArgs({ snapshotId: "abcdef01", path: "/-x", archive: "zip" })).toEqual([
    "dump",
    "--no-lock",
    "--archive=zip",
    "--",
    "abcdef01",
    "/-x",
  ]);
});

test.each([
  { snapshotId: "latest", path: "/a" },
  { snapshotId: "abcdef01", path: "a" },
  { snapshotId: "abcdef01", path: "/caf\ufffd" },
])("%j is refused", (bad) => expect(checkDumpInput(bad)).toMatchObject({ code: "invalid_input" }));
