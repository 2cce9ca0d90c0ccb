import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { isSameProcess, identifyProcess } from "@restic-manager/restic/process-start";
import { Secret } from "@restic-manager/restic/secret";
import { systemTimers } from "@restic-manager/restic/timers";
import { manualTimers } from "./testing/timers.ts";
import type { JobTools } from "./job-runner.ts";
import { runHook, type HookRun } from "./hooks.ts";
import { betweenHooks } from "./jobs/hooked.ts";
import { systemTimers as agentTimers } from "./timers.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "rm-hooks-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const facts = { host: "client1", group: "photos", jobId: "01JD", status: "running" } as const;
async function hook(body: string, given: Partial<HookRun> = {}) {
  const lines: string[] = [];
  const end = await runHook({
    when: "pre",
    body,
    timeoutSeconds: 30,
    facts,
    cwd: folder,
    tmpDir: folder,
    log: (text) => lines.push(text),
    timers: systemTimers,
    ...given,
  });
  return { end, lines };
}
const words = (end: Awaited<ReturnType<typeof hook>>["end"]) => (end.ok ? "ok" : end.error.message);

test("a hook knows its host, group, job and status, and nothing of the agent's own", async () => {
  process.env["RM_TEST_SECRET"] = "hunter2";
  const { end, lines } = await hook("env | sort");
  delete process.env["RM_TEST_SECRET"];
  expect(end).toEqual({ ok: true });
  const names = lines.map((line) => line.replace("hook(pre): ", "").split("=")[0]);
  // The shell adds its own three.
  const own = ["OLDPWD", "PWD", "SHLVL", "_"];
  expect(names.filter((name) => !own.includes(name ?? ""))).toEqual([
    "PATH",
    "RM_GROUP",
    "RM_HOST",
    "RM_JOB_ID",
    "RM_JOB_STATUS",
  ]);
  expect(lines).toContain("hook(pre): RM_GROUP=photos");
});

test("its body is in no process list, and its commands find an empty standard input", async () => {
  const { lines } = await hook("tr '\\0' ' ' < /proc/$$/cmdline; cat; echo over # secret-word");
  expect(lines.join("\n")).toContain("over");
  expect(lines.join("\n")).not.toContain("secret-word");
});

test("what it prints on either stream is in the log, with its own name before it", async () => {
  const { lines } = await hook("echo out; echo err >&2", { when: "post" });
  expect(lines.toSorted()).toEqual(["hook(post): err", "hook(post): out"]);
});

test("another exit code than 0, a signal, and a shell that cannot read it are failures", async () => {
  expect(words((await hook("exit 3")).end)).toBe("The hook before the backup ended with 3.");
  expect(words((await hook("kill -9 $$")).end)).toBe("The hook before the backup was ended by SIGKILL.");
  expect(words((await hook("if then")).end)).toBe("The hook before the backup ended with 2.");
});

test("regression: a hook that the service's sandbox stopped said nothing of the drop-in that lets it through", async () => {
  const hint = (end: Awaited<ReturnType<typeof hook>>["end"]) => (end.ok ? "ok" : (end.error.hint ?? ""));
  const said = async (line: string) => hint((await hook(`echo '${line}' >&2; exit 2`)).end);
  const folder = /^The service may write.*systemctl edit restic-manager-agent, \[Service\], ReadWritePaths=/;
  const right =
    /^The service has only.*systemctl edit restic-manager-agent, \[Service\], CapabilityBoundingSet=/;
  expect(await said("/bin/sh: 1: cannot create /var/backups/db.sql: Read-only file system")).toMatch(folder);
  expect(await said("su: cannot set groups: Operation not permitted")).toMatch(right);
  expect(await said("setpriv: Permission denied")).toMatch(right);
  expect(await said("no database")).toBe("The log has what it printed.");
  // The first one is the cause of what follows, however much is printed before it.
  const late = "yes | head -n 5000; echo x: Read-only file system; echo y: Permission denied; exit 1";
  expect(hint((await hook(late)).end)).toMatch(folder);
  expect((await hook("echo Permission denied")).end).toEqual({ ok: true });
});

test("an issue of the hook after the backup says what lets it through the sandbox", async () => {
  const { outcome, log } = await between({ post: "echo x: Read-only file system; exit 1" }, good);
  const message = expect.stringMatching(/^The hook after the backup ended with 1\. .*ReadWritePaths=/);
  expect(outcome).toMatchObject({ result: { issues: [{ message }] } });
  expect(log.at(-1)).toEqual(["manager", message]);
});

test("a hook that takes too long is ended with all that it started", async () => {
  const file = join(folder, "pids");
  const body = `trap '' TERM; sleep 600 & echo $! > ${file}; echo $$ >> ${file}; sleep 600`;
  const { end } = await hook(body, { timeoutSeconds: 0.3, timers: hasty });
  expect(words(end)).toBe("The hook before the backup was ended after 0.3 s.");
  await allEnded(file);
}, 30_000);

test("a hook that forks and goes leaves nothing behind, whether what it left holds its pipes or not", async () => {
  const file = join(folder, "left");
  expect((await hook(`sleep 600 & echo $! > ${file}`, { timers: hasty })).end).toEqual({ ok: true });
  await allEnded(file);
  expect((await hook(`sleep 600 > /dev/null 2>&1 & echo $! > ${file}`)).end).toEqual({ ok: true });
  await allEnded(file);
}, 30_000);

test("a hook that prints without end is cut, with a word of how much", async () => {
  const { end, lines } = await hook("yes backup | head -c 100000000");
  expect(end).toEqual({ ok: true });
  expect(lines).toHaveLength(1_001);
  expect(lines.at(-1)).toMatch(/^hook\(pre\): \[cut: \d{7,} more lines\]$/);
  const long = await hook("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after");
  expect(long.lines.join("").length).toBeLessThan(20_000);
}, 60_000);

/** Waits are a tenth, so that a test need not. */
const hasty = { ...systemTimers, after: (ms: number, run: () => void) => systemTimers.after(ms / 10, run) };

/** A killed process takes a moment to go; the test's own limit is the only one. */
async function allEnded(file: string): Promise<void> {
  while (alive(file).length > 0) await new Promise((resolve) => setImmediate(resolve));
}

function alive(file: string): number[] {
  const pids = readFileSync(file, "utf8").trim().split("\n").map(Number);
  return pids.filter((pid) => {
    const identity = identifyProcess(pid);
    if (identity === undefined || !isSameProcess(identity)) return false;
    // Nobody waits for what the shell left: init does, in its own time.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  });
}

const GROUP = SourceGroupId.parse("01JD0000000000000000000000");
/** A backup between hooks, where the backup itself is what the test says. */
async function between(
  hooks: { pre?: string; post?: string; timeout_seconds?: number },
  backup: () => Promise<JobOutcome>,
  cancel = new AbortController(),
  given: Partial<JobTools<"backup">> = {},
) {
  const log: [string, string][] = [];
  const tools: JobTools<"backup"> = {
    restic: () => ({ ok: false, error: { code: "failed", message: "not asked" } }),
    jobId: "01JD",
    hooks: () => ({ timeout_seconds: 30, ...hooks }),
    hostName: "client1",
    cancel: cancel.signal,
    kill: new AbortController().signal,
    spawned: () => {},
    log: (stream, text) => void log.push([stream, text]),
    progress: () => {},
    timers: agentTimers(),
    rememberRepository: () => {},
    ...given,
  };
  const context = {
    program: "/nowhere",
    cacheDir: folder,
    tmpDir: folder,
    workDir: folder,
    passthrough: {},
    timers: systemTimers,
    access: { url: "/nowhere", repositoryPassword: new Secret("x") },
    limits: {},
  };
  const input = { source_group_id: GROUP, source_group_name: "photos", includes: ["/a"], excludes: [] };
  return { outcome: await betweenHooks(input, tools, context, backup), log };
}
const good = async (): Promise<JobOutcome> => ({
  state: "succeeded",
  result: { issue_count: 0, issues: [] },
});

test("a backup whose first hook fails never begins, and the last hook still hears of it", async () => {
  let ran = false;
  const { outcome, log } = await between(
    { pre: "echo no database; exit 1", post: "echo status $RM_JOB_STATUS" },
    async () => {
      ran = true;
      return good();
    },
  );
  expect(ran).toBe(false);
  expect(outcome).toMatchObject({ state: "failed", error: { code: "hook_failed" } });
  expect(log).toEqual([
    ["hook_pre", "hook(pre): no database"],
    ["hook_post", "hook(post): status failed"],
  ]);
});

test("the last hook knows how the backup went; if it fails itself, the backup stands with an issue", async () => {
  const { outcome, log } = await between({ post: "echo $RM_JOB_STATUS; exit 4" }, good);
  expect(outcome).toMatchObject({
    state: "succeeded",
    result: {
      issue_count: 1,
      issues: [{ path: "(hook)", message: "The hook after the backup ended with 4." }],
    },
  });
  expect(log[0]).toEqual(["hook_post", "hook(post): succeeded"]);
  const failed = await between({ post: "exit 4" }, async () => ({
    state: "failed",
    error: { code: "disk_full", message: "x" },
  }));
  expect(failed.outcome).toMatchObject({ state: "failed", error: { code: "disk_full" } });
});

test("a cancel ends the first hook, nothing is backed up, and the last hook runs", async () => {
  const cancel = new AbortController();
  setImmediate(() => cancel.abort());
  const { outcome, log } = await between({ pre: "sleep 600", post: "echo $RM_JOB_STATUS" }, good, cancel);
  expect(outcome).toEqual({ state: "cancelled" });
  expect(log).toContainEqual(["hook_post", "hook(post): cancelled"]);
});

test("without hooks there is only the backup", async () => {
  expect((await between({}, good)).outcome).toEqual(await good());
});

/** A backup that was saved, whose last hook begins and never ends by itself; `begun` is called when it has said so. */
function hanging(cancel: AbortController, given: Partial<JobTools<"backup">>, begun: () => void) {
  const post = "sleep 600 & echo $! > hanging; echo $$ >> hanging; echo begun; wait";
  const log = (_stream: string, text: string): void => {
    if (text === "hook(post): begun") begun();
  };
  return between({ post, timeout_seconds: 3_600 }, good, cancel, { ...given, log });
}
const ended = (message: string) => ({
  state: "succeeded",
  result: { issue_count: 1, issues: [{ path: "(hook)", message }] },
});
const EARLY = "The hook after the backup was ended early, since the job was to end.";

test("regression: a kill ends a hook after the backup that hangs, with all that it started, and the backup stands", async () => {
  const [cancel, kill] = [new AbortController(), new AbortController()];
  const { outcome } = await hanging(cancel, { kill: kill.signal, timers: manualTimers() }, () => {
    cancel.abort();
    kill.abort();
  });
  expect(outcome).toMatchObject(ended(EARLY));
  await allEnded(join(folder, "hanging"));
}, 30_000);

test("regression: a cancel while the hook after the backup runs gives it a minute, not all of its own time", async () => {
  const cancel = new AbortController();
  const timers = manualTimers();
  const began = timers.now();
  const { outcome } = await hanging(cancel, { timers }, () => {
    timers.advance(100_000);
    cancel.abort();
    timers.advance(59_999);
    // Not a moment too early: it is alive until here.
    expect(alive(join(folder, "hanging"))).toHaveLength(2);
    timers.advance(1);
  });
  expect(outcome).toMatchObject(ended(EARLY));
  expect(timers.now() - began).toBe(160_000);
}, 30_000);

test("a hook after the backup that ends in the minute after a cancel leaves the backup as it is", async () => {
  const cancel = new AbortController();
  const { outcome } = await between({ post: "echo begun; read -r line || exit 0" }, good, cancel, {
    log: () => cancel.abort(),
  });
  expect(outcome).toEqual(await good());
});

test("the hook after the backup runs also after a kill that ended the backup, and has a minute", async () => {
  const [cancel, kill] = [new AbortController(), new AbortController()];
  const timers = manualTimers();
  const log: string[] = [];
  const killed = async (): Promise<JobOutcome> => {
    cancel.abort();
    kill.abort();
    return { state: "cancelled" };
  };
  const { outcome } = await between(
    { post: "echo $RM_JOB_STATUS; sleep 600", timeout_seconds: 3_600 },
    killed,
    cancel,
    {
      kill: kill.signal,
      timers,
      log(_stream, text) {
        log.push(text);
        if (text === "hook(post): cancelled") timers.advance(60_000);
      },
    },
  );
  expect(outcome).toEqual({ state: "cancelled" });
  expect(log).toEqual(["hook(post): cancelled", EARLY]);
}, 30_000);

test("that hooks begin is written down before the first one starts, and each of their processes when it does", async () => {
  const made: (string | number)[] = [];
  const hookMark = {
    begun: (id: string) => void made.push(id),
    spawned: (pid: number) => void made.push(pid),
  };
  const log: string[] = [];
  await between({ pre: "echo $$", post: "echo $$" }, good, new AbortController(), {
    hookMark,
    log: (_stream, text) => void log.push(text.replace(/.*: /, "")),
  });
  expect(made.map(String)).toEqual(["01JD", ...log]);
  let ran = false;
  const full = {
    ...hookMark,
    begun() {
      throw new Error("no room");
    },
  };
  const told = await between({ pre: "echo $$" }, good, new AbortController(), {
    hookMark: full,
    log: () => void (ran = true),
  }).catch(String);
  expect(told).toBe("Error: no room");
  expect(ran).toBe(false);
});
