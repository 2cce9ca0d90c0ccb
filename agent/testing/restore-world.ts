import { afterAll, afterEach, beforeAll, beforeEach, expect } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { JobInput, JobResult } from "@restic-manager/protocol/jobs";
import { JobOutcome, parseResult } from "@restic-manager/protocol/outcome";
import { runBackup } from "../jobs/backup.ts";
import { runInit } from "../jobs/init.ts";
import { runRestore } from "../jobs/restore.ts";
import { testTools, type TestTools } from "./job-tools.ts";

export const AS_ROOT = process.getuid?.() === 0;
const GROUP = {
  source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
  source_group_name: "default",
};

export interface RestoreWorld {
  /** Of this test; removed after it. */
  readonly folder: string;
  /** What is backed up. */
  readonly source: string;
  given: TestTools;
  backedUp(): Promise<ResticId>;
  wish(snapshotId: ResticId, changes?: Partial<JobInput<"restore">>): JobInput<"restore">;
  restored(input: JobInput<"restore">): Promise<JobResult<"restore">>;
  /** Why it was refused. Throws when it was not. */
  refusal(input: JobInput<"restore">): Promise<JobError>;
}

/** A repository of a real restic, a folder to back up and an agent's tools, anew for each test of the file. */
export function restoreWorld(): RestoreWorld {
  let template = "";
  let folder = "";
  let given: TestTools | undefined;
  const tools = (): TestTools => {
    if (given === undefined) throw new Error("only inside a test");
    return given;
  };
  beforeAll(async () => {
    template = mkdtempSync(join(tmpdir(), "rm-restore-"));
    expect((await runInit({}, (await testTools(template)).tools)).state).toBe("succeeded");
  });
  afterAll(() => rmSync(template, { recursive: true, force: true }));
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "rm-restore-"));
    cpSync(join(template, "repository"), join(folder, "repository"), { recursive: true });
    mkdirSync(join(folder, "src"));
    given = await testTools(folder);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return {
    get folder() {
      return folder;
    },
    get source() {
      return join(folder, "src");
    },
    get given() {
      return tools();
    },
    set given(next) {
      given = next;
    },
    async backedUp() {
      const outcome = await runBackup(
        { ...GROUP, includes: [join(folder, "src")], excludes: [] },
        tools().tools,
      );
      if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
      return ResticId.parse(outcome.result["snapshot_id"]);
    },
    wish: (snapshot_id, changes = {}) => ({
      snapshot_id,
      paths: [join(folder, "src")],
      target: { kind: "folder" },
      overwrite: "always",
      delete: false,
      dry_run: false,
      verify: false,
      sparse: false,
      ...changes,
    }),
    async restored(input) {
      const outcome = await runRestore(input, tools().tools);
      if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
      expect(JobOutcome.parse(outcome)).toEqual(outcome);
      return parseResult("restore", outcome.result) as JobResult<"restore">;
    },
    async refusal(input) {
      const outcome = await runRestore(input, tools().tools);
      if (outcome.state !== "failed") throw new Error(`it was not refused: ${outcome.state}`);
      return outcome.error;
    },
  };
}
