import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killAfterMs } from "./ladder.ts";
import { identifyProcess } from "./process-start.ts";
import { pipeGraceMs, run, type ExitFacts, type RunOptions, type RunOutcome } from "./run.ts";
import { manualTimers } from "./testing/manual-timers.ts";
import { systemTimers } from "./timers.ts";

let dir: string;
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), "rm-run-"))));
afterAll(() => rmSync(dir, { recursive: true }));

let count = 0;
/** A tiny real program. */
function script(body: string): string {
  const path = join(dir, `program-${count++}`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

type Started = { lines: string[]; line: (text: string) => Promise<void>; outcome: Promise<RunOutcome> };

/** Starts the program; `line` waits until it has printed that line. */
function start(body: string, options: Partial<RunOptions> = {}): Started {
  const lines: string[] = [];
  const waiting: { text: string; resolve: () => void }[] = [];
  const outcome = run({
    program: script(body),
    args: [],
    env: { PATH: "/usr/bin:/bin" },
    cwd: dir,
    killAfterMs: killAfterMs.write,
    timers: systemTimers,
    onLine(stream, { text, cut }) {
      lines.push(`${stream}: ${cut ? `cut at ${text.length}` : text}`);
      for (const w of waiting) if (w.text === text) w.resolve();
    },
    ...options,
  });
  return {
    lines,
    outcome,
    line(text) {
      if (lines.some((l) => l.endsWith(`: ${text}`))) return Promise.resolve();
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ text, resolve });
      return promise;
    },
  };
}

async function factsOf(outcome: Promise<RunOutcome>): Promise<ExitFacts> {
  const result = await outcome;
  if (result.state !== "exited") throw new Error(`not started: ${result.message}`);
  return result.facts;
}

const quiet = { interruptedByUs: false, timedOut: false, killed: false };

test("both streams arrive, with the exit code", async () => {
  const { lines, outcome } = start("echo out; echo err >&2; printf last; exit 3");
  expect(await factsOf(outcome)).toEqual({ code: 3, signal: null, ...quiet });
  expect(lines.sort()).toEqual(["stderr: err", "stdout: last", "stdout: out"]);
});

test("what is written line by line and gathered arrives whole, and stderr at once", async () => {
  const count = 3_000;
  const { lines, outcome } = start(
    `i=0; while [ $i -lt ${count} ]; do echo $i; i=$((i+1)); done; echo end >&2`,
    {
      gatherStdout: true,
    },
  );
  expect(await factsOf(outcome)).toEqual({ code: 0, signal: null, ...quiet });
  const expected = Array.from({ length: count }, (_, n) => `stdout: ${n}`);
  expect(lines.filter((line) => line !== "stderr: end")).toEqual(expected);
  expect(lines).toContain("stderr: end");
});

test("whoever throws as soon as the process is there leaves no descriptor behind", async () => {
  const descriptors = () => readdirSync("/proc/self/fd").filter((fd) => isPipe(fd)).length;
  const isPipe = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith("pipe:");
    } catch {
      return false;
    }
  };
  const before = descriptors();
  const { outcome } = start("echo out", {
    gatherStdout: true,
    onSpawn() {
      throw new Error("no");
    },
  });
  expect(outcome).rejects.toThrow("no");
  await outcome.catch(() => {});
  expect(descriptors()).toBe(before);
});

test("the child sees exactly the given environment and folder", async () => {
  const { lines, outcome } = start("/usr/bin/env; pwd", { env: { ONLY: "this" } });
  await outcome;
  expect(lines.filter((l) => !/: (PWD|_|SHLVL|OLDPWD)=/.test(l))).toEqual([
    "stdout: ONLY=this",
    `stdout: ${dir}`,
  ]);
});

test("standard input reaches the child whole, and is empty without", async () => {
  const stdin = Buffer.from(`${"x".repeat(300_000)}\n`);
  const given = start("wc -c", { stdin });
  await given.outcome;
  expect(given.lines).toEqual(["stdout: 300001"]);
  const none = start("wc -c");
  await none.outcome;
  expect(none.lines).toEqual(["stdout: 0"]);
});

test("the pid is known before the first line, and is the leader of its own group", async () => {
  const seen: string[] = [];
  const { outcome } = start("ps -o pgid= -p $$", {
    onSpawn: (pid) => void seen.push(String(pid)),
    onLine: (_, { text }) => void seen.push(text.trim()),
  });
  await outcome;
  expect(seen.length).toBe(2);
  expect(seen[0]).toBe(seen[1] ?? "");
});

test("a slow reader holds the child back and loses nothing", async () => {
  let most = 0;
  let open = 0;
  let total = 0;
  const { outcome } = start("i=0; while [ $i -lt 2000 ]; do echo line$i; i=$((i+1)); done", {
    async onLine() {
      most = Math.max(most, ++open);
      await Promise.resolve();
      open--;
      total++;
    },
  });
  await outcome;
  expect(total).toBe(2000);
  expect(most).toBe(1);
});

test("a gigabyte without a newline is one cut line", async () => {
  const { lines, outcome } = start("head -c 1000000000 /dev/zero | tr '\\0' a");
  expect((await factsOf(outcome)).code).toBe(0);
  expect(lines).toEqual([`stdout: cut at ${1024 * 1024}`]);
}, 30_000);

describe("the interrupt ladder", () => {
  test("SIGTERM ends a program that listens, its children too", async () => {
    const cancel = new AbortController();
    const { line, outcome } = start("sleep 600 & echo ready; wait", { cancel: cancel.signal });
    await line("ready");
    cancel.abort();
    expect(await factsOf(outcome)).toEqual({
      code: null,
      signal: "SIGTERM",
      ...quiet,
      interruptedByUs: true,
    });
  });

  test("a program that cleans up keeps its own exit code", async () => {
    const cancel = new AbortController();
    const { lines, line, outcome } = start(
      "trap 'echo cleaning; exit 130' TERM; echo ready; while :; do sleep 0.02; done",
      {
        cancel: cancel.signal,
      },
    );
    await line("ready");
    cancel.abort();
    expect(await factsOf(outcome)).toEqual({ code: 130, signal: null, ...quiet, interruptedByUs: true });
    expect(lines).toContain("stdout: cleaning");
  });

  test.each(["read", "write"] as const)(
    "what ignores SIGTERM is killed when the time for a %s is up",
    async (kind) => {
      const timers = manualTimers();
      const cancel = new AbortController();
      const { line, outcome } = start("trap 'echo ignored' TERM; echo ready; while :; do sleep 0.02; done", {
        cancel: cancel.signal,
        timers,
        killAfterMs: killAfterMs[kind],
      });
      await line("ready");
      cancel.abort();
      await line("ignored");
      timers.advance(killAfterMs[kind] - 1);
      expect(timers.waiting()).toBe(1);
      timers.advance(1);
      expect(await factsOf(outcome)).toEqual({
        code: null,
        signal: "SIGKILL",
        interruptedByUs: true,
        timedOut: false,
        killed: true,
      });
    },
  );

  test("kill now does not wait", async () => {
    const kill = new AbortController();
    const { line, outcome } = start("trap '' TERM; echo ready; while :; do sleep 0.02; done", {
      kill: kill.signal,
      timers: manualTimers(),
    });
    await line("ready");
    kill.abort();
    expect(await factsOf(outcome)).toMatchObject({ signal: "SIGKILL", interruptedByUs: true, killed: true });
  });

  test("a deadline interrupts and says so", async () => {
    const timers = manualTimers();
    const { line, outcome } = start("echo ready; exec sleep 600", { timers, deadlineMs: 10_000 });
    await line("ready");
    timers.advance(10_000);
    expect(await factsOf(outcome)).toEqual({
      code: null,
      signal: "SIGTERM",
      interruptedByUs: false,
      timedOut: true,
      killed: false,
    });
  });

  test("what is cancelled before it starts never runs", async () => {
    const { outcome } = start(`touch ${dir}/ran`, { cancel: AbortSignal.abort() });
    expect(await outcome).toMatchObject({ state: "not_started", reason: "cancelled" });
    expect(existsSync(join(dir, "ran"))).toBe(false);
  });

  test("cancelling after the end signals nobody", async () => {
    const cancel = new AbortController();
    const { outcome } = start("exit 0", { cancel: cancel.signal });
    expect(await factsOf(outcome)).toEqual({ code: 0, signal: null, ...quiet });
    cancel.abort();
  });
});

describe("grandchildren that hold the pipe", () => {
  const timersThatRunOut = { now: () => 0, after: systemTimers.after };

  test("in the group, they are killed once the pipe has been silent", async () => {
    const { lines, outcome } = start("sleep 600 & echo $!", {
      timers: { ...timersThatRunOut, after: (ms, action) => systemTimers.after(ms / 100, action) },
    });
    expect(await factsOf(outcome)).toEqual({ code: 0, signal: null, ...quiet });
    const pid = Number(lines[0]?.split(": ")[1]);
    while (identifyProcess(pid) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  });

  test("outside the group, the pipe is given up", async () => {
    const asked: number[] = [];
    const { lines, outcome } = start("setsid sleep 600 & echo $!", {
      timers: {
        now: () => 0,
        after(ms, action) {
          asked.push(ms);
          return systemTimers.after(ms / 100, action);
        },
      },
    });
    expect((await factsOf(outcome)).code).toBe(0);
    expect(new Set(asked)).toEqual(new Set([pipeGraceMs]));
    process.kill(Number(lines[0]?.split(": ")[1]), "SIGKILL");
  });
});

test("a missing program, a missing folder and a file that is no program are told apart", async () => {
  const base = { args: [], env: {}, cwd: dir, killAfterMs: 0, timers: systemTimers, onLine() {} };
  expect(await run({ ...base, program: join(dir, "none") })).toMatchObject({ reason: "program_missing" });
  expect(await run({ ...base, program: script("exit 0"), cwd: join(dir, "none") })).toMatchObject({
    reason: "failed",
  });
  writeFileSync(join(dir, "plain"), "");
  expect(await run({ ...base, program: join(dir, "plain") })).toMatchObject({ reason: "failed" });
});

test("an error of the line reader ends the program and comes back", async () => {
  const { outcome } = start("echo one; exec sleep 600", {
    onLine() {
      throw new Error("disk full");
    },
  });
  expect(outcome).rejects.toThrow("disk full");
  await outcome.catch(() => {});
});
