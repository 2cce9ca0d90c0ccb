import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { findRestic } from "../binary.ts";
import { backup, type BackupProgress } from "../commands/backup.ts";
import { dump } from "../commands/dump.ts";
import { isProvablyOwnStale, listLocks } from "../commands/list-locks.ts";
import { prune } from "../commands/prune.ts";
import { snapshots } from "../commands/snapshots.ts";
import { stats } from "../commands/stats.ts";
import { unlock } from "../commands/unlock.ts";
import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome } from "../error.ts";
import { execute } from "../execute.ts";
import { killAfterMs } from "../ladder.ts";
import { endProcessGroup } from "../orphan.ts";
import { identifyProcess } from "../process-start.ts";
import { openRepository, prepareRepository } from "../repository.ts";
import { Secret } from "../secret.ts";
import { testContext, testFolder, type TestFolder } from "../testing/context.ts";
import { manualTimers } from "../testing/manual-timers.ts";
import { systemTimers } from "../timers.ts";
import { installFakeRestic, type FakeRestic } from "./install.ts";
import type { Step } from "./scenario.ts";

let folder: TestFolder;
let fake: FakeRestic;
beforeEach(() => {
  folder = testFolder();
  fake = installFakeRestic(join(folder.path, "fake"));
});
afterEach(() => folder.remove());

const context = (changes: Partial<ResticContext> = {}): ResticContext =>
  testContext(folder.path, fake.path, changes);
const input = { includes: ["/srv/a"], tags: ["home"], host: "client1" };

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return outcome.value;
}

/** Runs a command that the scenario scripts. */
function scripted(
  steps: Step[],
  hooks: Hooks = {},
  changes: Partial<ResticContext> = {},
): ReturnType<typeof execute> {
  fake.play({ commands: { unlock: steps } });
  return execute(context(changes), { args: ["unlock"], kind: "write" }, hooks);
}

describe("it passes for a restic", () => {
  test("with a repository that remembers", async () => {
    const c = context();
    expect(await openRepository(c)).toEqual({ state: "missing" });
    expect(valueOf(await prepareRepository(c)).created).toBe(true);
    const progress: BackupProgress[] = [];
    const result = valueOf(await backup(c, input, { onProgress: (p) => void progress.push(p) }));
    expect(result).toMatchObject({ files_new: 4, issue_count: 0 });
    expect(progress.map((p) => p.percent)).toEqual([50, 100]);
    expect(valueOf(await snapshots(c))).toMatchObject([
      { id: result.snapshot_id, paths: ["/srv/a"], tags: ["home"], hostname: "client1" },
    ]);
    expect(valueOf(await stats(c)).snapshots_count).toBe(1);
    expect(valueOf(await listLocks(c))).toEqual({ locks: [], unreadable: [] });
  });

  test("of the version it is told", async () => {
    const find = { path: fake.path, searchPath: "", tmpDir: folder.path, timers: systemTimers };
    const found = async (version: string) => {
      fake.play({ version });
      return findRestic(find);
    };
    expect(await found("0.18.0")).toEqual({ state: "ok", version: "0.18.0", path: fake.path });
    expect(await found("0.17.3")).toEqual({ state: "too_old", version: "0.17.3" });
    fake.play({
      commands: { version: [{ do: "print", text: "restic 0.14.0 compiled with go1.19.8 on linux/amd64" }] },
    });
    expect(await findRestic(find)).toEqual({ state: "too_old", version: "0.14.0" });
    fake.play({ commands: { version: [{ do: "print", text: "not a restic" }] } });
    expect(await findRestic(find)).toEqual({ state: "missing" });
    expect(await findRestic({ ...find, path: join(folder.path, "none") })).toEqual({ state: "missing" });
    expect(await findRestic({ ...find, path: "relative/restic" })).toEqual({ state: "missing" });
  });

  test("with a password and an incomplete backup", async () => {
    fake.play({ initialised: true, password: "repository-password", backup: { incomplete: true } });
    const result = valueOf(await backup(context(), input));
    expect(result.issues).toEqual([
      { path: "/srv/a/unreadable", message: "open /srv/a/unreadable: permission denied", during: "archival" },
    ]);
    const access = { url: "/srv/repo", repositoryPassword: new Secret("wrong") };
    expect(await openRepository(context({ access }))).toEqual({ state: "wrong_password" });
  });
});

test("what restic saw is recorded: arguments without repository or path, exactly our variables, no secret", async () => {
  fake.play({ initialised: true });
  const access = {
    url: "rest:http://127.0.0.1:1/x/",
    username: "agent1",
    password: new Secret("http-password"),
    repositoryPassword: new Secret("repository-password"),
  };
  valueOf(await backup(context({ access, limits: { uploadKiB: 512, downloadKiB: 0 } }), input));
  const [start, ...more] = fake.starts("backup");
  expect(more).toEqual([]);
  expect(start).toMatchObject({
    argv: ["backup", "--json", "--host=client1", "--tag=home", "--files-from-raw=-", "--limit-upload=512"],
    repository: "rest:http://127.0.0.1:1/x/",
    username: "agent1",
  });
  const fromShell = ["PWD", "OLDPWD", "SHLVL", "_"];
  expect(start?.environment.filter((name) => !fromShell.includes(name))).toEqual([
    "HOME",
    "PATH",
    "RESTIC_CACHE_DIR",
    "RESTIC_PASSWORD",
    "RESTIC_PROGRESS_FPS",
    "RESTIC_REPOSITORY",
    "RESTIC_REST_PASSWORD",
    "RESTIC_REST_USERNAME",
    "TMPDIR",
  ]);
  expect(JSON.stringify(fake.runs())).not.toMatch(/http-password|repository-password/);
  expect(fake.runs().at(-1)).toMatchObject({ event: "end", code: 0 });
});

test("limits and patience with locks are options, never taken for a path behind the others", async () => {
  fake.play({ initialised: true, commands: { dump: [{ do: "print", text: "data" }], prune: [] } });
  const c = context({ limits: { downloadKiB: 64 } });
  const bytes: Uint8Array[] = [];
  const input = { snapshotId: "abcdef01", path: "/--x" };
  expect(valueOf(await dump(c, input, { onBytes: (chunk) => void bytes.push(chunk) }))).toEqual({ bytes: 5 });
  expect(Buffer.concat(bytes).toString()).toBe("data\n");
  expect(fake.starts("dump")[0]?.argv).toEqual([
    "dump",
    "--no-lock",
    "--archive=tar",
    "--limit-download=64",
    "--",
    "abcdef01",
    "/--x",
  ]);
  await prune(c, { retryLockSeconds: 90 });
  expect(fake.starts("prune")[0]?.argv).toEqual(["prune", "--retry-lock=90s", "--limit-download=64"]);
});

test("a backup waits in the middle until it is released, with thousands of log lines in order", async () => {
  fake.play({ initialised: true, backup: { log_lines: 5000, wait_for: "release" } });
  const log: string[] = [];
  const middle = Promise.withResolvers<void>();
  const running = backup(context(), input, {
    onLog: ({ text }) => void log.push(text),
    onProgress: () => middle.resolve(),
  });
  await middle.promise;
  expect(log.length).toBe(2501);
  expect(log[0]).toBe("start scan of /srv/a");
  fake.release("release");
  valueOf(await running);
  expect(log.slice(1, 5001)).toEqual(
    Array.from({ length: 5000 }, (_, i) => `new       /srv/a/file${i + 1} (100 B added)`),
  );
  expect(log.length).toBe(5006);
});

describe("cancelling a backup in the middle", () => {
  beforeEach(() => fake.play({ initialised: true, backup: { wait_for: "never" } }));

  test("interrupts it, and its lock goes", async () => {
    const cancel = new AbortController();
    const outcome = await backup(context(), input, {
      cancel: cancel.signal,
      onProgress: () => cancel.abort(),
    });
    expect(outcome).toMatchObject({ ok: false, error: { code: "interrupted", byUs: true, killed: false } });
    expect(valueOf(await listLocks(context())).locks).toEqual([]);
    expect(valueOf(await snapshots(context()))).toEqual([]);
  });

  test("kills it, and its lock stays until unlock", async () => {
    const kill = new AbortController();
    const outcome = await backup(context(), input, { kill: kill.signal, onProgress: () => kill.abort() });
    expect(outcome).toMatchObject({ ok: false, error: { code: "interrupted", byUs: true, killed: true } });
    const [lock] = valueOf(await listLocks(context())).locks;
    if (lock === undefined) throw new Error("no lock");
    const judge = { hostname: "client1", pidAlive: (pid: number) => identifyProcess(pid) !== undefined };
    expect(isProvablyOwnStale(lock, judge)).toBe(true);
    expect(valueOf(await unlock(context()))).toEqual({ removed: 1 });
  });

  test("an orphan is recognised by pid and start, and ended", async () => {
    const spawned = Promise.withResolvers<number>();
    const running = backup(context(), input, { onSpawn: spawned.resolve });
    const identity = identifyProcess(await spawned.promise);
    if (identity === undefined) throw new Error("not found");
    while (!fake.isWaiting()) await new Promise((resolve) => setImmediate(resolve));
    await endProcessGroup(identity, { timers: systemTimers, killAfterMs: 5000 });
    expect(await running).toMatchObject({ ok: false, error: { code: "interrupted", byUs: false } });
  });
});

describe("odd behaviour", () => {
  test("ignoring SIGTERM ends in SIGKILL after 70 s", async () => {
    const timers = manualTimers();
    const cancel = new AbortController();
    const { error } = await scripted(
      [{ do: "ignore_term" }, { do: "print", text: "deaf" }, { do: "hang" }],
      {
        cancel: cancel.signal,
        onLog({ text }) {
          if (text !== "deaf") return;
          cancel.abort();
          timers.advance(killAfterMs.write);
        },
      },
      { timers },
    );
    expect(error).toMatchObject({ code: "interrupted", killed: true });
  });

  test("a grandchild that holds the pipe does not hold the job", async () => {
    const quick = {
      ...systemTimers,
      after: (ms: number, action: () => void) => systemTimers.after(ms / 100, action),
    };
    for (const own_session of [false, true]) {
      const { error } = await scripted([{ do: "hold_pipe", seconds: 5, own_session }], {}, { timers: quick });
      expect(error).toBeUndefined();
    }
  });

  test("output without a line's end is cut and marked", async () => {
    const log: string[] = [];
    await scripted(
      [
        { do: "flood", bytes: 50_000_000 },
        { do: "exit", code: 0 },
      ],
      {
        onLog: ({ text }) => void log.push(text),
      },
    );
    expect(log).toEqual([`${"x".repeat(1024 * 1024)} … [line cut at 1 MiB]`]);
  });

  test("dying by itself is a failure that names the signal", async () => {
    const { error } = await scripted([{ do: "kill_self" }]);
    expect(error).toMatchObject({ code: "failed", signal: "SIGKILL" });
  });

  test("an answer that is no document is a failure, not a crash", async () => {
    const answers = ["[", "{}", "null", '[{"id":1}]', "nothing at all", ""];
    for (const text of answers) {
      fake.play({ initialised: true, commands: { snapshots: [{ do: "print", text }] } });
      const outcome = await snapshots(context());
      expect(outcome).toMatchObject({ ok: false, error: { code: "failed" } });
    }
  });

  test("secrets that restic prints do not reach the log", async () => {
    const log: string[] = [];
    await scripted(
      [{ do: "print", stream: "stderr", text: "bad repository-password in http://u:pw@host/" }],
      {
        onLog: ({ text }) => void log.push(text),
      },
    );
    expect(log).toEqual(["bad [secret] in http://[secret]@host/"]);
  });

  test("a log that is slow holds restic back and keeps the order", async () => {
    const log: string[] = [];
    await scripted([{ do: "lines", count: 300 }], {
      async onLog({ text }) {
        await Promise.resolve();
        log.push(text);
      },
    });
    expect(log).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i + 1}`));
  });
});

test("a lock that cannot be read is listed as such, and does not hide the others", async () => {
  const id = "a".repeat(64);
  const failed = '{"message_type":"exit_error","code":1,"message":"Fatal: invalid data returned"}';
  fake.play({
    commands: {
      "list locks": [
        { do: "print", text: id },
        { do: "print", stream: "stderr", text: "some notice" },
      ],
      "cat lock": [
        { do: "print", stream: "stderr", text: failed },
        { do: "exit", code: 1 },
      ],
    },
  });
  expect(valueOf(await listLocks(context()))).toEqual({ locks: [], unreadable: [id] });
});

test("cancelling before the start runs nothing", async () => {
  const outcome = await backup(context(), input, { cancel: AbortSignal.abort() });
  expect(outcome).toMatchObject({ ok: false, error: { code: "interrupted", byUs: true } });
  expect(fake.runs()).toEqual([]);
});

test("a restic that has gone since it was found is missing", async () => {
  const outcome = await snapshots(context({ program: join(folder.path, "gone") }));
  expect(outcome).toMatchObject({ ok: false, error: { code: "restic_missing" } });
});
