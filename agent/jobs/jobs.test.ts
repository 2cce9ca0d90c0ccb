import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobKind, JobProgress } from "@restic-manager/protocol/jobs";
import { JobOutcome, parseResult } from "@restic-manager/protocol/outcome";
import { findRestic, type ResticBinary } from "@restic-manager/restic/binary";
import { realRestic } from "@restic-manager/restic/testing/real";
import { systemTimers as resticTimers } from "@restic-manager/restic/timers";
import type { JobTools } from "../job-runner.ts";
import { repositoryReport } from "../report.ts";
import { resticContext } from "../restic-access.ts";
import { systemTimers } from "../timers.ts";
import { runBackup } from "./backup.ts";
import { runInit } from "./init.ts";

const GROUP = {
  source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
  source_group_name: "default",
};
let folder: string;
let binary: ResticBinary;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-jobs-"));
  binary = await findRestic({ path: realRestic(), searchPath: "", tmpDir: tmpdir(), timers: resticTimers });
  mkdirSync(join(folder, "data"));
  for (let i = 0; i < 20; i += 1) writeFileSync(join(folder, "data", `file-${i}`), `content ${i}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Tools over a repository in a folder, which write down what a job says. */
function tools(repository: string, password = "a password") {
  const log: string[] = [];
  const progress: unknown[] = [];
  const known: string[] = [];
  const cancel = new AbortController();
  const places = {
    cacheDir: join(folder, "cache"),
    tmpDir: tmpdir(),
    workDir: folder,
    passthrough: {},
    timers: resticTimers,
  };
  mkdirSync(places.cacheDir, { recursive: true });
  const config = {
    version: 1,
    host_name: "client1",
    repository: { url: join(folder, repository), repository_password: password },
    bandwidth: {},
  };
  const made: JobTools<JobKind> = {
    restic: (bandwidth) => resticContext(binary, config, places, bandwidth),
    jobId: "01JD0000000000000000000001",
    hostName: "client1",
    cancel: cancel.signal,
    kill: new AbortController().signal,
    spawned: () => {},
    log: (_stream, text) => void log.push(text),
    progress: (one: JobProgress) => void progress.push(one),
    timers: systemTimers(),
    rememberRepository: (id) => void known.push(id),
  };
  return { tools: made, log, progress, known, cancel, restic: () => made.restic() };
}

test("init creates a repository, and adopts it the next time", async () => {
  const { tools: given, known } = tools("one");
  const first = await runInit({}, given);
  expect(first).toMatchObject({ state: "succeeded", result: { created: true } });
  expect(await runInit({}, given)).toMatchObject({ state: "succeeded", result: { created: false } });
  expect(known).toHaveLength(2);
  expect(known[0]).toBe(known[1]);
}, 60_000);

test("init with another password says that the repository is there but does not open", async () => {
  const { tools: given, known } = tools("one", "not the password");
  const outcome = await runInit({}, given);
  expect(outcome).toMatchObject({
    state: "failed",
    error: { code: "wrong_password", message: "The repository exists but this password does not open it." },
  });
  expect(known).toEqual([]);
  expect(JSON.stringify(outcome)).not.toContain("not the password");
}, 60_000);

test("a backup saves a snapshot that the report then lists with its figures", async () => {
  const { tools: given, restic, log } = tools("one");
  const outcome = await runBackup({ ...GROUP, includes: [join(folder, "data")], excludes: ["*-1"] }, given);
  expect(outcome).toMatchObject({ state: "succeeded", result: { files_new: 19, issue_count: 0 } });
  expect(parseResult("backup", outcome.state === "succeeded" ? outcome.result : null)).toBeDefined();
  expect(log.join("\n")).toContain("snapshot");
  const access = restic();
  if (!access.ok) throw new Error("no restic");
  const report = await repositoryReport(access.context, {
    hostName: "client1",
    repositoryId: undefined,
    now: Date.now,
    cancel: new AbortController().signal,
  });
  expect(report).toMatchObject({
    ok: true,
    messages: [
      {
        type: "snapshots.report",
        part: 0,
        parts: 1,
        snapshots: [{ tags: ["default"], summary: { files_new: 19 } }],
      },
      { type: "repo.stats", snapshots_count: 1 },
    ],
  });
}, 60_000);

test("a missing folder beside one that is there is an issue; nothing but missing folders is a failure", async () => {
  const { tools: given } = tools("one");
  const gone = join(folder, "gone");
  const some = await runBackup({ ...GROUP, includes: [join(folder, "data"), gone], excludes: [] }, given);
  expect(some).toMatchObject({ state: "succeeded", result: { issue_count: 1, issues: [{ path: gone }] } });
  const none = await runBackup({ ...GROUP, includes: [gone], excludes: [] }, given);
  expect(none).toMatchObject({ state: "failed", error: { code: "source_missing" } });
  expect(JobOutcome.parse(none)).toEqual(none);
}, 60_000);

test("a path that looks like an option, and one with a line break, are paths", async () => {
  const { tools: given } = tools("one");
  const odd = ["-o rest.connections=1", "two\nlines", "$HOME", "*"].map((name) => join(folder, "odd", name));
  mkdirSync(join(folder, "odd"), { recursive: true });
  for (const path of odd) writeFileSync(path, path);
  const outcome = await runBackup({ ...GROUP, includes: odd, excludes: [] }, given);
  expect(outcome).toMatchObject({ state: "succeeded", result: { files_new: 4, issue_count: 0 } });
}, 60_000);

test("a cancelled job is cancelled, whatever restic says", async () => {
  const { tools: given, cancel } = tools("one");
  const running = runBackup({ ...GROUP, includes: [join(folder, "data")], excludes: [] }, given);
  cancel.abort();
  expect(await running).toEqual({ state: "cancelled" });
}, 60_000);

test("without a restic, or without credentials, the job says what is missing and starts nothing", () => {
  const places = { cacheDir: folder, tmpDir: folder, workDir: folder, passthrough: {}, timers: resticTimers };
  expect(resticContext({ state: "missing" }, undefined, places)).toMatchObject({
    error: { code: "restic_missing" },
  });
  const old = resticContext({ state: "too_old", version: "0.14.0" }, undefined, places);
  expect(old).toMatchObject({
    error: { code: "restic_too_old", message: expect.stringContaining("0.14.0") },
  });
  expect(resticContext(binary, undefined, places)).toMatchObject({ error: { code: "no_credentials" } });
});
