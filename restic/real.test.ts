import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from "bun:test";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { binaryError, findRestic } from "./binary.ts";
import { backup, type BackupProgress } from "./commands/backup.ts";
import { init } from "./commands/init.ts";
import { isProvablyOwnStale, listLocks } from "./commands/list-locks.ts";
import { snapshots } from "./commands/snapshots.ts";
import { stats } from "./commands/stats.ts";
import { unlock } from "./commands/unlock.ts";
import type { ResticContext } from "./context.ts";
import type { Outcome, ResticError } from "./error.ts";
import { identifyProcess } from "./process-start.ts";
import { openRepository, prepareRepository } from "./repository.ts";
import { Secret } from "./secret.ts";
import { testContext, testFolder, type TestFolder } from "./testing/context.ts";
import { manualTimers } from "./testing/manual-timers.ts";
import { realRestic, startRestServer, type RestServer } from "./testing/real.ts";
import { systemTimers } from "./timers.ts";

// Each call that opens a repository costs 0.5 s of CPU (the key derivation), more on a shared machine.
setDefaultTimeout(60_000);

// Making a repository takes 3 s (restic calibrates its key derivation), so most tests start from a copy of one.
let template: TestFolder;
beforeAll(async () => {
  template = testFolder();
  valueOf(await init(testContext(template.path, realRestic())));
});
afterAll(() => template.remove());

let folder: TestFolder;
beforeEach(() => void (folder = testFolder()));
afterEach(() => folder.remove());

const context = (changes: Partial<ResticContext> = {}): ResticContext =>
  testContext(folder.path, realRestic(), changes);

/** A context whose repository exists. */
function withRepository(changes: Partial<ResticContext> = {}): ResticContext {
  cpSync(join(template.path, "repo"), join(folder.path, "repo"), { recursive: true });
  return context(changes);
}

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.value;
}

function errorOf(outcome: Outcome<unknown>): ResticError {
  if (outcome.ok) throw new Error("it succeeded");
  return outcome.error;
}

/** 12 MiB that do not compress: at 2 MiB/s more than long enough to be in the middle of. */
const slowly = { limits: { uploadKiB: 2048 } };

function bigSource(): string {
  const path = source(1);
  const part = 65_536;
  const bytes = new Uint8Array(12 * 1024 * 1024);
  for (let at = 0; at < bytes.length; at += part) crypto.getRandomValues(bytes.subarray(at, at + part));
  writeFileSync(join(path, "big"), bytes);
  return path;
}

/** Files of 1 KiB below `src/`. */
function source(count: number, name = "src"): string {
  const path = join(folder.path, name);
  mkdirSync(path, { recursive: true });
  for (let i = 0; i < count; i++) writeFileSync(join(path, `file${i}`), `${i} `.repeat(256));
  return path;
}

test("the real restic is found and new enough", async () => {
  const options = { searchPath: "/nowhere", tmpDir: folder.path, timers: systemTimers };
  const found = await findRestic({ ...options, path: realRestic() });
  expect(found).toMatchObject({
    state: "ok",
    path: realRestic(),
    version: expect.stringMatching(/^0\.\d+\.\d+/),
  });
  expect(binaryError(found)).toBeUndefined();
  expect(await findRestic(options)).toEqual({ state: "missing" });
});

test("a backup from nothing to the list: missing, initialised, backed up, listed, counted", async () => {
  const c = context();
  expect(await openRepository(c)).toEqual({ state: "missing" });
  const { id, created } = valueOf(await prepareRepository(c));
  expect(created).toBe(true);
  expect(await openRepository(c)).toEqual({ state: "open", id, version: 2 });
  expect(valueOf(await prepareRepository(c))).toEqual({ id, version: 2, created: false });
  expect(valueOf(await snapshots(c))).toEqual([]);
  expect(valueOf(await stats(c))).toEqual({ total_size: 0, snapshots_count: 0 });

  const log: string[] = [];
  const progress: BackupProgress[] = [];
  const src = source(50);
  writeFileSync(join(src, "skip.tmp"), "");
  const input = { includes: [src], excludes: ["*.tmp"], tags: ["home"], host: "client-1" };
  const result = valueOf(
    await backup(c, input, {
      onLog: ({ text }) => void log.push(text),
      onProgress: (p) => void progress.push(p),
    }),
  );
  expect(result).toMatchObject({ files_new: 50, total_files_processed: 50, issues: [], issue_count: 0 });
  expect(result.snapshot_id).toMatch(/^[0-9a-f]{64}$/);
  expect(log.at(-1)).toBe(`snapshot ${result.snapshot_id?.slice(0, 8)} saved`);
  expect(log.join("\n")).not.toContain("{");

  const list = valueOf(await snapshots(c, { host: "client-1", tag: "home" }));
  expect(list.length).toBe(1);
  expect(list[0]).toMatchObject({
    id: result.snapshot_id ?? "",
    hostname: "client-1",
    tags: ["home"],
    paths: [src],
    excludes: ["*.tmp"],
    summary: { total_files_processed: 50, files_new: 50 },
  });
  expect(valueOf(await snapshots(c, { host: "other" }))).toEqual([]);
  const size = valueOf(await stats(c));
  expect(size.snapshots_count).toBe(1);
  expect(size.total_size).toBeGreaterThan(1000);
});

test("init on a repository that is there fails, and preparing it with another password is a wrong password", async () => {
  const c = withRepository();
  expect(errorOf(await init(c))).toMatchObject({
    code: "failed",
    message: expect.stringContaining("already exists"),
  });
  const other = context({ access: { ...c.access, repositoryPassword: new Secret("another") } });
  expect(await openRepository(other)).toEqual({ state: "wrong_password" });
  expect(errorOf(await prepareRepository(other))).toEqual({
    code: "wrong_password",
    message: "the repository exists but this password does not open it",
  });
});

test("names that look like options, hold line breaks or are not ASCII are backed up as they are", async () => {
  const c = withRepository();
  const names = ["-o x", "--exclude=*", "new\nline", "ünï", "* [?]", " space "];
  const includes = names.map((name) => source(1, name));
  const result = valueOf(await backup(c, { includes, tags: [], host: "h" }));
  expect(result.files_new).toBe(names.length);
  expect(valueOf(await snapshots(c))[0]?.paths.toSorted()).toEqual(includes.toSorted());
});

test("one missing source is an issue, only missing ones are an error", async () => {
  const c = withRepository();
  const missing = join(folder.path, "no\nsuch");
  const result = valueOf(await backup(c, { includes: [source(2), missing], tags: [], host: "h" }));
  expect(result.issues).toEqual([{ path: missing, message: "does not exist", during: "start" }]);
  const none = errorOf(await backup(c, { includes: [join(folder.path, "none")], tags: [], host: "h" }));
  expect(none).toMatchObject({ code: "source_missing", paths: [join(folder.path, "none")] });
});

test("verbose items are log lines", async () => {
  const c = withRepository();
  const log: string[] = [];
  const input = { includes: [source(3)], tags: [], host: "h", verboseItems: true };
  valueOf(await backup(c, input, { onLog: ({ text }) => void log.push(text) }));
  expect(log.filter((line) => /^new {7}.*file\d/.test(line)).length).toBe(3);
});

test("a killed backup leaves a lock that is provably its own, and unlock removes it", async () => {
  const c = withRepository(slowly);
  const big = bigSource();
  const kill = new AbortController();
  let pid = 0;
  // The first progress line comes while it holds its lock.
  const outcome = await backup(
    c,
    { includes: [big], tags: [], host: "h" },
    { kill: kill.signal, onSpawn: (p) => void (pid = p), onProgress: () => kill.abort() },
  );
  expect(errorOf(outcome)).toMatchObject({ code: "interrupted", byUs: true, killed: true });
  const { locks, unreadable } = valueOf(await listLocks(c));
  expect(unreadable).toEqual([]);
  expect(locks.length).toBe(1);
  expect(locks[0]).toMatchObject({ pid, exclusive: false, hostname: hostname() });
  const judge = { hostname: hostname(), pidAlive: (p: number) => identifyProcess(p) !== undefined };
  expect(locks.every((lock) => isProvablyOwnStale(lock, judge))).toBe(true);
  expect(valueOf(await unlock(c))).toEqual({ removed: 1 });
  expect(valueOf(await listLocks(c)).locks).toEqual([]);
  expect(valueOf(await unlock(c))).toEqual({ removed: 0 });
});

test("a cancelled backup is cancelled, and leaves neither lock nor snapshot", async () => {
  const c = withRepository(slowly);
  const big = bigSource();
  const cancel = new AbortController();
  const outcome = await backup(
    c,
    { includes: [big], tags: [], host: "h" },
    { cancel: cancel.signal, onProgress: () => cancel.abort() },
  );
  expect(errorOf(outcome)).toMatchObject({ code: "interrupted", byUs: true, killed: false });
  expect(valueOf(await listLocks(c)).locks).toEqual([]);
  expect(valueOf(await snapshots(c))).toEqual([]);
});

describe("over a rest-server", () => {
  let server: RestServer;
  beforeAll(async () => {
    server = await startRestServer({ users: { agent1: "p@ss w/rd" }, appendOnly: true, privateRepos: true });
  });
  afterAll(() => server.stop());

  const access = (changes: Partial<ResticContext["access"]> = {}): ResticContext["access"] => ({
    url: `${server.url}agent1/${folder.path.slice(-6)}/`,
    username: "agent1",
    password: new Secret("p@ss w/rd"),
    repositoryPassword: new Secret("repository-password"),
    ...changes,
  });

  test("user and password go by the environment, and nothing of them is in the log", async () => {
    const c = context({ access: access() });
    const log: string[] = [];
    valueOf(await prepareRepository(c));
    const input = { includes: [source(5)], tags: ["t"], host: "h" };
    const result = valueOf(await backup(c, input, { onLog: ({ text }) => void log.push(text) }));
    expect(valueOf(await snapshots(c)).map((s) => s.id)).toEqual([result.snapshot_id ?? ""]);
    expect(log.join("\n")).not.toMatch(/p@ss|p%40ss|repository-password/);
    // Append-only lets a lock go.
    expect(valueOf(await listLocks(c))).toEqual({ locks: [], unreadable: [] });
  });

  test("a wrong password of the server is unauthorized, at once, with its address", async () => {
    const c = context({ access: access({ password: new Secret("wrong") }) });
    const opened = await openRepository(c);
    expect(opened).toMatchObject({
      state: "error",
      error: { code: "unauthorized", status: 401, address: `127.0.0.1:${server.port}` },
    });
  });

  test("credentials in the URL are refused before restic runs", async () => {
    const c = context({ access: access({ url: `rest:http://agent1:x@127.0.0.1:${server.port}/agent1/` }) });
    const spawned: number[] = [];
    const opened = await openRepository(c, {}, { onSpawn: (pid) => void spawned.push(pid) });
    expect(opened).toMatchObject({ state: "error", error: { code: "invalid_input" } });
    expect(spawned).toEqual([]);
  });
});

test("an unreachable server: waiting is told at once, and the deadline ends it with restic's own cause", async () => {
  const server = await startRestServer();
  await server.stop();
  const timers = manualTimers();
  const c = context({ access: { url: server.url, repositoryPassword: new Secret("x") }, timers });
  const waiting: (string | undefined)[] = [];
  const opened = await openRepository(
    c,
    { deadlineMs: 10_000 },
    {
      onWaiting(cause) {
        waiting.push(cause);
        timers.advance(10_000);
      },
    },
  );
  expect(waiting.length).toBe(1);
  expect(waiting[0]).toMatch(/connection refused$/);
  expect(opened).toMatchObject({
    state: "error",
    error: { code: "repository_unreachable", address: `127.0.0.1:${server.port}`, timedOut: true },
  });
});

test("a full server ends the backup as full, although restic would go on trying", async () => {
  const server = await startRestServer({ maxSizeBytes: 200_000 });
  try {
    const c = context({ access: { url: server.url, repositoryPassword: new Secret("x") } });
    valueOf(await prepareRepository(c));
    const error = errorOf(await backup(c, { includes: [bigSource()], tags: [], host: "h" }));
    expect(error).toMatchObject({ code: "repository_full", address: `127.0.0.1:${server.port}` });
  } finally {
    await server.stop();
  }
});

test("a damaged config is damage", async () => {
  const c = withRepository();
  rmSync(join(folder.path, "repo", "config"));
  writeFileSync(join(folder.path, "repo", "config"), crypto.getRandomValues(new Uint8Array(155)));
  const opened = await openRepository(c);
  expect(opened).toMatchObject({ state: "error", error: { code: "repository_damaged" } });
});
