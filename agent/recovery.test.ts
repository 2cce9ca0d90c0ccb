import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Hooks } from "@restic-manager/protocol/config";
import { identifyProcess, isSameProcess } from "@restic-manager/restic/process-start";
import { systemTimers as resticTimers } from "@restic-manager/restic/timers";
import { runCutHook } from "./cut-hook.ts";
import { HookMark } from "./hook-mark.ts";
import { createLog } from "./log.ts";
import { Meta } from "./meta.ts";
import { recover } from "./recovery.ts";
import { command, jobId, testJournal } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";
import { systemTimers } from "./timers.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const INPUT = { source_group_id: jobId(9), source_group_name: "photos", includes: ["/a"], excludes: [] };
const ID = jobId(1);

/** A journal in which a backup runs, as an agent left it that died. */
function cutOff(kind: "backup" | "init" = "backup") {
  const made = testJournal();
  open.push(made);
  const { journal, db, folder, waiting } = made;
  journal.accept(kind === "init" ? command(1) : { ...command(1), kind, input: INPUT });
  journal.started(ID);
  const warned: string[] = [];
  const log = createLog({ write: (line) => warned.push(line), now: () => new Date(0), journal: false });
  const mark = new HookMark({ journal, meta: new Meta(db), log });
  return {
    ...made,
    mark,
    warned,
    /** The next life begins, with these hooks in its configuration. */
    next: (
      hooks: Partial<Hooks>,
      given: { stop?: AbortSignal; timers?: ReturnType<typeof manualTimers> } = {},
    ) =>
      recover({
        journal,
        timers: resticTimers,
        log,
        restic: () => undefined,
        hooks: {
          mark,
          after: (job) =>
            runCutHook(job, {
              journal,
              mark,
              timers: given.timers ?? systemTimers(),
              hooks: (id) =>
                String(id) === INPUT.source_group_id ? { timeout_seconds: 3_600, ...hooks } : undefined,
              hostName: "client1",
              cwd: folder,
              tmpDir: folder,
              stop: given.stop ?? new AbortController().signal,
            }),
        },
      }),
    ran: () => (existsSync(join(folder, "ran")) ? readFileSync(join(folder, "ran"), "utf8") : ""),
    finished: () =>
      waiting().flatMap((frame) => {
        if (typeof frame !== "string" || !frame.includes('"job.finished"')) return [];
        return [(JSON.parse(frame) as { message: { outcome: unknown; log_lines: number } }).message];
      }),
  };
}
const RESTARTED = { state: "failed", error: { code: "agent_restarted" } };
const POST = 'echo "$RM_HOST $RM_GROUP $RM_JOB_ID $RM_JOB_STATUS" | tee -a ran';

test("regression: a backup that died with its agent after its first hook had begun gets its last hook, once, told that it failed", async () => {
  const book = cutOff();
  book.mark.begun(ID);
  expect(await book.next({ pre: "echo pre >> ran", post: POST })).toEqual([]);
  expect(book.ran()).toBe(`client1 photos ${ID} failed\n`);
  // What it said is part of the log that the job's end counts.
  expect(book.finished()).toMatchObject([{ outcome: RESTARTED, log_lines: 1 }]);
  expect(typeof book.waiting().at(-1)).toBe("string");
  expect(typeof book.waiting().at(-2)).not.toBe("string");
  await book.next({ post: POST });
  expect(book.ran()).toBe(`client1 photos ${ID} failed\n`);
  expect(book.finished()).toHaveLength(1);
});

test("the lines of a last hook that comes late follow those that the job has", async () => {
  const book = cutOff();
  book.journal.log({ jobId: ID, firstLine: 0, count: 7, rawSize: 1, data: new Uint8Array(1) });
  book.mark.begun(ID);
  await book.next({ post: "echo one; echo two; exit 3" });
  expect(book.finished()).toMatchObject([{ outcome: RESTARTED, log_lines: 10 }]);
});

test("a backup that was cut off before its hooks began gets none, and nor does one without a last hook or another kind of job", async () => {
  const before = cutOff();
  before.mark.begun(jobId(2));
  await before.next({ post: POST });
  expect(before.ran()).toBe("");
  const without = cutOff();
  without.mark.begun(ID);
  await without.next({ pre: POST });
  expect(without.ran()).toBe("");
  const other = cutOff("init");
  other.mark.begun(ID);
  await other.next({ post: POST });
  expect(other.ran()).toBe("");
  for (const book of [before, without, other])
    expect(book.finished()).toMatchObject([{ outcome: RESTARTED, log_lines: 0 }]);
});

test("regression: a hook that outlived its agent is ended before the last hook runs, and restic's process is still known", async () => {
  const book = cutOff();
  book.journal.spawned(ID, { pid: 4_711, startedAt: "boot:17" });
  book.mark.begun(ID);
  const orphan = Bun.spawn(["/bin/sh", "-c", "sleep 600 & echo $!; wait"], {
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const { value } = await orphan.stdout.getReader().read();
  const child = identifyProcess(Number(new TextDecoder().decode(value)));
  book.mark.spawned(orphan.pid);
  expect(book.journal.held()).toMatchObject([{ process: { pid: 4_711 } }]);
  expect(book.mark.left()).toEqual({ job: ID, process: identifyProcess(orphan.pid) });
  await book.next({ post: `kill -0 ${orphan.pid} 2>/dev/null || echo alone >> ran` });
  expect(book.ran()).toBe("alone\n");
  await orphan.exited;
  expect(orphan.signalCode).toBe("SIGTERM");
  expect(child !== undefined && isSameProcess(child)).toBe(false);
  expect(book.warned.join("\n")).toContain("ended a hook that an earlier life of this agent had started");
}, 30_000);

test("the last hook's own process is marked in its turn, so that a life after the next can end and repeat it", async () => {
  const book = cutOff();
  book.mark.begun(ID);
  await book.next({ post: "echo $$ > ran" });
  expect(book.mark.left()?.process?.pid).toBe(Number(book.ran()));
});

test("when the agent is stopped, a last hook that comes late has a minute, and the job is reported", async () => {
  const book = cutOff();
  book.mark.begun(ID);
  const timers = manualTimers();
  const stop = AbortSignal.abort();
  const begun = timers.after;
  // The hook's own time is set after its minute has begun: it runs by then.
  timers.after = (ms, run) => {
    if (ms === 3_600_000) setImmediate(() => timers.advance(60_000));
    return begun(ms, run);
  };
  await book.next({ post: "sleep 600" }, { stop, timers });
  expect(book.finished()).toMatchObject([{ outcome: RESTARTED, log_lines: 1 }]);
}, 30_000);

test("a last hook that cannot be run keeps no job from being reported", async () => {
  const book = cutOff();
  book.mark.begun(ID);
  const { journal, mark } = book;
  const after = () => Promise.reject(new Error("no such thing"));
  const log = createLog({ write: (line) => book.warned.push(line), now: () => new Date(0), journal: false });
  await recover({ journal, timers: resticTimers, log, restic: () => undefined, hooks: { mark, after } });
  expect(book.finished()).toMatchObject([{ outcome: RESTARTED }]);
  expect(book.warned.join("\n")).toContain("no such thing");
});
