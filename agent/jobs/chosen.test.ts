import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobResult } from "@restic-manager/protocol/jobs";
import { parseResult } from "@restic-manager/protocol/outcome";
import { snapshots } from "@restic-manager/restic/commands/snapshots";
import { testTools, type TestTools } from "../testing/job-tools.ts";
import { runBackup } from "./backup.ts";
import { runForgetSnapshots, runTag } from "./chosen.ts";
import { runDiff } from "./diff.ts";
import { runInit } from "./init.ts";

setDefaultTimeout(120_000);

let folder: string;
let given: TestTools;
const ids: ResticId[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-chosen-"));
  given = await testTools(folder);
  mkdirSync(join(folder, "src"));
  await runInit({}, given.tools);
  const group = {
    source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
    source_group_name: "default",
  };
  for (const n of [1, 2, 3]) {
    writeFileSync(join(folder, "src", `f${n}`), `${n}`);
    writeFileSync(join(folder, "src/same"), `version ${n}`);
    const saved = await runBackup({ ...group, includes: [join(folder, "src")], excludes: [] }, given.tools);
    if (saved.state !== "succeeded") throw new Error(JSON.stringify(saved));
    ids.push(ResticId.parse(saved.result["snapshot_id"]));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const NOWHERE = ResticId.parse("ab".repeat(32));
const id = (n: number): ResticId => ids[n] ?? NOWHERE;

async function listed() {
  const access = given.tools.restic();
  if (!access.ok) throw new Error("no restic");
  const found = await snapshots(access.context);
  if (!found.ok) throw new Error(found.error.message);
  return found.value.map((one) => ({ id: one.id, tags: one.tags }));
}

test("what differs is told change by change, and added up", async () => {
  const outcome = await runDiff({ from: id(0), to: id(2) }, given.tools);
  expect(outcome).toMatchObject({
    state: "succeeded",
    result: { truncated: false, sizes_known: false, counts: { added: 2, modified: 1, removed: 0 } },
  });
  const changes = given.told.flatMap((one) => (one.type === "diff.changes" ? one.changes : []));
  expect(outcome).toMatchObject({ result: { kept: changes.length } });
  // Folders above have other times as well.
  const inside = changes.filter(({ path }) => path.startsWith(join(folder, "src")));
  expect(inside.map(({ path, kind, is_folder }) => [path, kind, is_folder])).toEqual([
    [join(folder, "src"), "metadata", true],
    [join(folder, "src/f2"), "added", false],
    [join(folder, "src/f3"), "added", false],
    [join(folder, "src/same"), "modified", false],
  ]);
  expect(await runDiff({ from: id(0), to: NOWHERE }, given.tools)).toMatchObject({
    state: "failed",
    error: { code: "snapshot_missing" },
  });
});

test("tags are added and taken away; the snapshots have new ids then", async () => {
  const outcome = await runTag(
    { snapshot_ids: [id(0), NOWHERE], add: ["keep it"], remove: ["default"], use_admin: false },
    given.tools,
  );
  if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
  const result = parseResult("tag", outcome.result) as JobResult<"tag">;
  expect(result.not_found).toEqual([NOWHERE]);
  expect(result.changed.map(({ old_id }) => old_id)).toEqual([id(0)]);
  expect((await listed()).find((one) => one.id === result.changed[0]?.new_id)?.tags).toEqual(["keep it"]);
});

test("exactly the chosen snapshots go", async () => {
  const outcome = await runForgetSnapshots({ snapshot_ids: [id(1), NOWHERE], use_admin: false }, given.tools);
  expect(outcome).toMatchObject({
    state: "succeeded",
    result: { removed: [id(1)], not_found: [NOWHERE], not_removed: [] },
  });
  const left = (await listed()).map((one) => one.id);
  expect(left.length).toBe(2);
  expect(left).toContain(id(2));
});
