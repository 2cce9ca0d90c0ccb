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
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { backup } from "./commands/backup.ts";
import { check } from "./commands/check.ts";
import { forget, forgetGroups, forgetSnapshots } from "./commands/forget.ts";
import { judgeLock, listLocks } from "./commands/list-locks.ts";
import { prune } from "./commands/prune.ts";
import { snapshots } from "./commands/snapshots.ts";
import { stats } from "./commands/stats.ts";
import { tag } from "./commands/tag.ts";
import { unlock } from "./commands/unlock.ts";
import type { ResticContext } from "./context.ts";
import { identifyProcess } from "./process-start.ts";
import { Secret } from "./secret.ts";
import { testContext, testFolder, type TestFolder } from "./testing/context.ts";
import { errorOf, valueOf } from "./testing/outcome.ts";
import { copiedRepository, repositoryTemplate, snapshotOf, writeFileAt } from "./testing/real-repository.ts";
import { realRestic, startRestServer, type RestServer } from "./testing/real.ts";

// Each call that opens a repository costs 0.5 s of CPU, more on a shared machine.
setDefaultTimeout(120_000);

let template: TestFolder;
beforeAll(async () => void (template = await repositoryTemplate()));
afterAll(() => template.remove());

let folder: TestFolder;
beforeEach(() => void (folder = testFolder()));
afterEach(() => folder.remove());

const repository = (changes: Partial<ResticContext> = {}): ResticContext =>
  copiedRepository(template, folder.path, changes);

const source = (): string => join(folder.path, "src");

/** Content that no compression or deduplication makes smaller. */
const noise = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

async function several(c: ResticContext, tags: readonly string[], host = "h"): Promise<string[]> {
  const ids: string[] = [];
  for (const [i, name] of tags.entries()) {
    writeFileAt(source(), `${name}-${i}`, noise(50_000));
    ids.push((await snapshotOf(c, { includes: [source()], tags: [name], host })).id);
  }
  return ids;
}

const idsOf = async (c: ResticContext): Promise<string[]> => valueOf(await snapshots(c)).map(({ id }) => id);

describe("forget", () => {
  test("a plan first, then the same; other tags and hosts stay", async () => {
    const c = repository();
    const [a1 = "", a2 = "", b = "", a3 = ""] = await several(c, ["a", "a", "b", "a"]);
    const [other = ""] = await several(c, ["a"], "other");
    const input = { host: "h", tag: "a", keep: { keep_last: 1 } };
    const plan = valueOf(await forget(c, { ...input, dryRun: true }));
    expect(plan.dry_run).toBe(true);
    expect(plan.removed.map(({ id }) => id).toSorted()).toEqual([a1, a2].toSorted());
    expect(plan.kept).toMatchObject([{ id: a3, reasons: ["last snapshot"], hostname: "h", tags: ["a"] }]);
    expect((await idsOf(c)).length).toBe(5);

    const done = valueOf(await forget(c, input));
    expect(done).toEqual({ ...plan, dry_run: false });
    expect((await idsOf(c)).toSorted()).toEqual([b, a3, other].toSorted());
    // Nobody's snapshots are no error.
    expect(valueOf(await forget(c, { ...input, tag: "none" }))).toEqual({
      kept: [],
      removed: [],
      not_removed: [],
      dry_run: false,
    });
  });

  test("a group whose folders were changed still loses its old snapshots", async () => {
    const c = repository();
    const [first = ""] = await several(c, ["a"]);
    const elsewhere = join(folder.path, "elsewhere");
    writeFileAt(elsewhere, "f", "x");
    await snapshotOf(c, { includes: [elsewhere], tags: ["a"], host: "h" });
    const { removed } = valueOf(await forget(c, { host: "h", tag: "a", keep: { keep_last: 1 } }));
    expect(removed.map(({ id }) => id)).toEqual([first]);
  });

  test("many groups, and nothing at all when one policy is a mistake", async () => {
    const c = repository();
    await several(c, ["a", "a", "b", "b"]);
    const wrong = await forgetGroups(c, {
      host: "h",
      groups: [
        { tag: "a", keep: { keep_last: 1 } },
        { tag: "b", keep: { daily: 0 } },
      ],
    });
    expect(wrong).toMatchObject({ done: [], error: { code: "invalid_input" } });
    expect((await idsOf(c)).length).toBe(4);
    const { done, error } = await forgetGroups(c, {
      host: "h",
      groups: [
        { tag: "a", keep: { keep_last: 1 } },
        { tag: "b", keep: { daily: 1 } },
      ],
    });
    expect(error).toBeUndefined();
    expect(done.map(({ tag: name, removed }) => [name, removed.length])).toEqual([
      ["a", 1],
      ["b", 1],
    ]);
    expect((await idsOf(c)).length).toBe(2);
  });

  test("chosen snapshots by id, and which were not there", async () => {
    const c = repository();
    const [a = "", b = ""] = await several(c, ["a", "a"]);
    const unknown = "d".repeat(64);
    expect(valueOf(await forgetSnapshots(c, { ids: [a, unknown] }))).toEqual({
      removed: [a],
      not_found: [unknown],
      not_removed: [],
    });
    expect(await idsOf(c)).toEqual([b]);
    for (const ids of [[], ["latest"], [b.slice(0, 8)]]) {
      expect(errorOf(await forgetSnapshots(c, { ids })).code).toBe("invalid_input");
    }
  });
});

test("prune frees what the plan said, and it is what the repository got smaller", async () => {
  const c = repository();
  const [first = ""] = await several(c, ["a"]);
  rmSync(source(), { recursive: true });
  await several(c, ["b"]);
  valueOf(await forgetSnapshots(c, { ids: [first] }));
  const before = valueOf(await stats(c)).total_size;
  const plan = valueOf(await prune(c, { dryRun: true, maxUnused: "0" }));
  expect(plan.freed_bytes).toBeGreaterThan(49_000);
  const done = valueOf(await prune(c, { maxUnused: "0" }));
  expect(done).toMatchObject({ freed_blobs: plan.freed_blobs ?? -1, unused_bytes_left: 0, dry_run: false });
  expect(valueOf(await stats(c)).total_size).toBeLessThan(before);
  expect(valueOf(await prune(c))).toMatchObject({ freed_bytes: 0 });
  expect(valueOf(await check(c, { readData: { percent: 100 } }))).toEqual({ result: "ok", hints: [] });
});

/** Changes a byte in the middle of the largest data file, and gives its id. */
function flipByte(): string {
  const data = join(folder.path, "repo", "data");
  const [largest] = readdirSync(data, { recursive: true, encoding: "utf8" })
    .map((name) => ({ name, stat: statSync(join(data, name)) }))
    .filter(({ stat }) => stat.isFile())
    .sort((a, b) => b.stat.size - a.stat.size);
  if (largest === undefined) throw new Error("there is no data");
  const file = openSync(join(data, largest.name), "r+");
  const byte = new Uint8Array(1);
  const at = Math.floor(largest.stat.size / 2);
  readSync(file, byte, 0, 1, at);
  writeSync(file, new Uint8Array([(byte[0] ?? 0) ^ 0xff]), 0, 1, at);
  closeSync(file);
  return largest.name.slice(-64);
}

describe("check", () => {
  test("flipped bytes are seen when data is read, and name the pack", async () => {
    const c = repository();
    await several(c, ["a"]);
    const pack = flipByte();
    expect(valueOf(await check(c)).result).toBe("ok");
    expect(valueOf(await check(c, { readData: { percent: 100 } }))).toMatchObject({
      result: "errors_found",
      broken_packs: [pack],
      hints: ["repair_packs", "repair_snapshots"],
      doubtful: false,
    });
    // One part of one is all of it.
    expect(valueOf(await check(c, { readData: { part: 1, of: 1 } }))).toMatchObject({ broken_packs: [pack] });
  });

  test("a wrong password is no damage", async () => {
    const c = repository();
    const access = { ...c.access, repositoryPassword: new Secret("another") };
    expect(errorOf(await check({ ...c, access })).code).toBe("wrong_password");
  });
});

test("a leftover lock blocks check and prune, is judged by its holder, and goes by unlock", async () => {
  const c = repository({ limits: { uploadKiB: 64 } });
  writeFileAt(source(), "big", noise(4_000_000));
  const kill = new AbortController();
  await backup(
    c,
    { includes: [source()], tags: [], host: "h" },
    { kill: kill.signal, onProgress: () => kill.abort() },
  );
  const [lock] = valueOf(await listLocks(c)).locks;
  if (lock === undefined) throw new Error("there is no lock");
  for (const outcome of [await check(c), await prune(c, { retryLockSeconds: 1 })]) {
    expect(errorOf(outcome)).toMatchObject({
      code: "repository_locked",
      holder: { pid: lock.pid, hostname: hostname() },
    });
  }
  const pidAlive = (pid: number): boolean => identifyProcess(pid) !== undefined;
  expect(judgeLock(lock, { hostname: hostname(), now: Date.now(), pidAlive })).toMatchObject({
    state: "stale",
    why: "process_gone",
  });
  expect(judgeLock(lock, { hostname: "another", now: Date.now(), pidAlive }).state).toBe("live");
  expect(valueOf(await unlock(c, { removeAll: true }))).toEqual({ removed: 1 });
  expect(valueOf(await check(c)).result).toBe("ok");
});

test("tags are added, removed and set, and each change is another snapshot", async () => {
  const c = repository();
  const [id = ""] = await several(c, ["a"]);
  const tagsNow = async (): Promise<string[]> => valueOf(await snapshots(c)).flatMap(({ tags }) => tags);
  const unknown = "d".repeat(64);
  const added = valueOf(await tag(c, { ids: [id, unknown], edit: { add: ["-b c"], remove: ["a"] } }));
  expect(added).toMatchObject({ changed: [{ old_id: id }], not_found: [unknown] });
  expect(await tagsNow()).toEqual(["-b c"]);
  const now = added.changed[0]?.new_id ?? "";
  const set = valueOf(await tag(c, { ids: [now], edit: { set: [] } }));
  expect(await tagsNow()).toEqual([]);
  expect(await idsOf(c)).toEqual([set.changed[0]?.new_id ?? ""]);
});

describe("through an append-only server", () => {
  let appendOnly: RestServer;
  let admin: RestServer;
  beforeEach(async () => {
    appendOnly = await startRestServer({ appendOnly: true, dataDir: join(folder.path, "repo") });
    admin = await startRestServer({ dataDir: join(folder.path, "repo") });
  });
  afterEach(() => Promise.all([appendOnly.stop(), admin.stop()]));

  const through = (server: RestServer): ResticContext =>
    testContext(folder.path, realRestic(), {
      access: { url: server.url, repositoryPassword: new Secret("repository-password") },
    });

  test("nothing is removed and each command says why; the other address may", async () => {
    repository();
    const c = through(appendOnly);
    const [a = "", b = ""] = await several(c, ["a", "a"]);
    const address = `127.0.0.1:${appendOnly.port}`;
    const policy = { host: "h", tag: "a", keep: { keep_last: 1 } };
    expect(valueOf(await forget(c, { ...policy, dryRun: true })).removed.map(({ id }) => id)).toEqual([a]);
    expect(errorOf(await forget(c, policy))).toMatchObject({ code: "append_only", address });
    expect(errorOf(await forgetSnapshots(c, { ids: [a] }))).toMatchObject({ code: "append_only", address });
    expect((await idsOf(c)).toSorted()).toEqual([a, b].toSorted());
    // Read and checked it may be, and locks go.
    expect(valueOf(await check(c)).result).toBe("ok");
    expect(valueOf(await unlock(c))).toEqual({ removed: 0 });
    expect(valueOf(await listLocks(c)).locks).toEqual([]);

    const asAdmin = through(admin);
    expect(valueOf(await forget(asAdmin, policy)).removed.map(({ id }) => id)).toEqual([a]);
    expect(errorOf(await prune(c, { maxUnused: "0" }))).toMatchObject({ code: "append_only", address });
    expect(valueOf(await prune(asAdmin, { maxUnused: "0" })).freed_bytes).toBeGreaterThan(0);
    // Last, since it leaves a second snapshot.
    const edit = { add: ["x"], remove: [] };
    expect(errorOf(await tag(c, { ids: [b], edit }))).toMatchObject({ code: "append_only", address });
    expect((await idsOf(c)).length).toBe(2);
  });
});
