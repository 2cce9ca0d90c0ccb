import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { backup } from "./commands/backup.ts";
import { catConfig } from "./commands/cat-config.ts";
import { check } from "./commands/check.ts";
import { diff } from "./commands/diff.ts";
import { find } from "./commands/find.ts";
import { forget } from "./commands/forget.ts";
import { init } from "./commands/init.ts";
import { listLocks } from "./commands/list-locks.ts";
import { ls } from "./commands/ls.ts";
import { prune } from "./commands/prune.ts";
import { restore } from "./commands/restore.ts";
import { snapshots } from "./commands/snapshots.ts";
import { stats } from "./commands/stats.ts";
import { tag } from "./commands/tag.ts";
import { unlock } from "./commands/unlock.ts";
import { parseVersion } from "./commands/version.ts";
import type { ResticContext } from "./context.ts";
import { recorded } from "./testing/recorded.ts";
import { testContext, testFolder, type TestFolder } from "./testing/context.ts";

let folder: TestFolder;
let context: ResticContext;

/** In the place of restic: prints the two files as they are, and ends with the code in the third. */
beforeAll(() => {
  folder = testFolder();
  const program = join(folder.path, "restic");
  writeFileSync(
    program,
    `#!/bin/sh\ncat '${folder.path}/out'; cat '${folder.path}/err' >&2; exit "$(cat '${folder.path}/code')"\n`,
  );
  chmodSync(program, 0o700);
  context = testContext(folder.path, program);
});
afterAll(() => folder.remove());

const ID = "a".repeat(64);
const commands: Record<string, () => Promise<{ ok: boolean }>> = {
  backup: () => backup(context, { includes: ["/srv"], tags: ["t"], host: "h" }),
  "cat config": () => catConfig(context, { deadlineMs: 10_000 }),
  check: () => check(context, {}),
  diff: () => diff(context, { from: ID, to: ID }, { onChange: () => {} }),
  find: () => find(context, { what: { path: "/a" } }),
  forget: () => forget(context, { host: "h", tag: "t", keep: { keep_last: 1 } }),
  init: () => init(context),
  "list locks": () => listLocks(context),
  ls: () => ls(context, { snapshotId: ID }, { onEntry: () => {} }),
  prune: () => prune(context, {}),
  restore: () =>
    restore(context, {
      snapshotId: ID,
      paths: "everything",
      target: join(folder.path, "t"),
      overwrite: "never",
    }),
  snapshots: () => snapshots(context),
  stats: () => stats(context),
  tag: () => tag(context, { ids: [ID], edit: { set: ["x"] } }),
  unlock: () => unlock(context),
};

/** Whole outputs of a real restic, for parts of them to stand between the noise. */
const real = [
  "backup_first_json",
  "forget_dryrun_json",
  "restore_again_json",
  "check_json",
  "diff_json",
  "ls_dir_json",
  "find_json",
  "snapshots_json",
  "lock_cat",
  "stats_raw-data_json",
  "init_json",
].flatMap((name) => recorded("0.18", name).stdout);
const jsonish = fc
  .record({
    message_type: fc.constantFrom("status", "summary", "error", "exit_error", "node", "change", "statistics"),
    code: fc.jsonValue(),
    message: fc.jsonValue(),
    error: fc.jsonValue(),
    item: fc.jsonValue(),
    path: fc.jsonValue(),
    modifier: fc.jsonValue(),
  })
  .map((message) => JSON.stringify(message));
const line = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  jsonish,
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(...real, "[", "{", "null", ID, "\u0000", "x".repeat(200_000), "[".repeat(50_000)),
);
const output = fc.oneof(
  { weight: 4, arbitrary: fc.array(line, { maxLength: 12 }).map((lines) => Buffer.from(lines.join("\n"))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
);
const code = fc.constantFrom(0, 0, 1, 3, 10, 11, 12, 130, 255);

for (const [name, run] of Object.entries(commands))
  test(`${name} answers, whatever a restic prints and however it ends`, async () => {
    await fc.assert(
      fc.asyncProperty(output, output, code, async (out, err, exit) => {
        writeFileSync(join(folder.path, "out"), out);
        writeFileSync(join(folder.path, "err"), err);
        writeFileSync(join(folder.path, "code"), String(exit));
        const outcome = await run();
        expect(typeof outcome.ok).toBe("boolean");
        expect(outcome).not.toMatchObject({ error: { code: "invalid_input" } });
        expect(JSON.stringify(outcome).length).toBeLessThan(8_000_000);
        // No repository, locked, wrong password, interrupted: never taken for success, whatever else it says.
        if ([10, 11, 12, 130].includes(exit)) expect(outcome).toMatchObject({ ok: false });
      }),
      { numRuns: 25 },
    );
  }, 120_000);

test("no text is taken for a version that is none", () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 5 }), (lines) => {
      const version = parseVersion(lines);
      if (version !== undefined) expect(lines.join("\n")).toContain(version);
    }),
  );
});
