import { afterEach, expect, test } from "bun:test";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import type { HeldJob } from "./journal.ts";
import { Queue } from "./queue.ts";
import { command, jobId, testJournal } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const DONE: JobOutcome = { state: "succeeded", result: { repository_id: "a".repeat(64), created: false } };

/** A queue whose work the test ends by hand. */
function world() {
  const books = testJournal();
  open.push(books);
  const errors: unknown[] = [];
  const reports: AbortSignal[] = [];
  const working: {
    job: HeldJob;
    cancel: AbortSignal;
    kill: AbortSignal;
    end: (outcome: JobOutcome) => void;
  }[] = [];
  const queue = new Queue({
    journal: books.journal,
    work: (job, signals) =>
      new Promise((resolve) => {
        working.push({ job, ...signals, end: resolve });
        signals.cancel.addEventListener("abort", () => resolve({ state: "cancelled" }));
      }),
    between: async (cancel) => {
      reports.push(cancel);
      books.journal.report([]);
      return "told";
    },
    onError: (error) => errors.push(error),
    room: async () => {},
    timers: manualTimers(),
  });
  const add = (n: number, kind: "init" | "restore" = "init") => {
    const taken = books.journal.accept(kind === "init" ? command(n) : restoreCommand(n));
    if (taken.verdict === "new") queue.add(taken.job);
  };
  const outcomes = () =>
    books.waiting().flatMap((data) => {
      const { message } = JSON.parse(String(data)) as {
        message: { type: string; job_id: string; outcome?: JobOutcome };
      };
      return message.outcome === undefined ? [] : [[message.job_id, message.outcome.state]];
    });
  return { ...books, queue, working, errors, reports, add, outcomes };
}

/** Lets the queue's own steps run; nothing in it waits for time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("runs one job at a time, in the order in which they came", async () => {
  const { queue, working, add, outcomes } = world();
  queue.open([]);
  for (const n of [3, 1, 2]) add(n);
  await settle();
  expect(working.map(({ job }) => job.id)).toEqual([jobId(3)]);
  working[0]?.end(DONE);
  await settle();
  expect(working.map(({ job }) => job.id)).toEqual([jobId(3), jobId(1)]);
  working[1]?.end(DONE);
  await settle();
  working[2]?.end(DONE);
  await settle();
  expect(outcomes().map(([id]) => id)).toEqual([jobId(3), jobId(1), jobId(2)]);
});

test("runs nothing before it is opened, and then first what an earlier life had accepted", async () => {
  const { queue, working, add, journal } = world();
  const taken = journal.accept(command(1));
  add(2);
  await settle();
  expect(working).toEqual([]);
  queue.open(taken.verdict === "new" ? [taken.job] : []);
  await settle();
  expect(working[0]?.job.id).toBe(jobId(1));
});

test("a job that waits is cancelled at once, without a start", async () => {
  const { queue, working, add, outcomes } = world();
  queue.open([]);
  add(1);
  add(2);
  await settle();
  expect(queue.cancel(jobId(2), false)).toBe(true);
  expect(outcomes()).toEqual([[jobId(2), "cancelled"]]);
  working[0]?.end(DONE);
  await settle();
  expect(working).toHaveLength(1);
});

test("a running job is asked to end, and killed only when somebody does not want to wait", async () => {
  const { queue, working, add, outcomes } = world();
  queue.open([]);
  add(1);
  await settle();
  expect(queue.cancel(jobId(1), false)).toBe(true);
  expect(working[0]?.cancel.aborted).toBe(true);
  expect(working[0]?.kill.aborted).toBe(false);
  await settle();
  expect(outcomes()).toEqual([[jobId(1), "cancelled"]]);
  expect(queue.cancel(jobId(1), true)).toBe(false);
});

test("what the repository holds is read between two jobs, once after the last", async () => {
  const { queue, working, reports, add } = world();
  queue.open([]);
  add(1);
  add(2);
  await settle();
  working[0]?.end(DONE);
  await settle();
  expect(reports).toHaveLength(0);
  working[1]?.end(DONE);
  await settle();
  expect(reports).toHaveLength(1);
});

test("a defect in a job's work fails that job and no other", async () => {
  const books = testJournal();
  open.push(books);
  const errors: unknown[] = [];
  let calls = 0;
  const queue = new Queue({
    journal: books.journal,
    work: async () => {
      calls += 1;
      if (calls === 1) throw new Error("a defect");
      return DONE;
    },
    between: async () => {
      books.journal.report([]);
      return "told";
    },
    onError: (error) => errors.push(error),
    room: async () => {},
    timers: manualTimers(),
  });
  queue.open([]);
  for (const n of [1, 2]) {
    const taken = books.journal.accept(command(n));
    if (taken.verdict === "new") queue.add(taken.job);
  }
  await settle();
  await settle();
  expect(errors).toHaveLength(1);
  expect(books.journal.held()).toEqual([]);
  expect(calls).toBe(2);
});

test("a stop interrupts what runs and reports it as restarted; what waits stays for the next life", async () => {
  const { queue, add, journal, waiting } = world();
  queue.open([]);
  add(1);
  add(2);
  await settle();
  await queue.stop();
  expect(String(waiting().at(-1))).toContain("agent_restarted");
  expect(journal.held().map((job) => job.id)).toEqual([jobId(2)]);
});

test("a job that somebody cancelled is cancelled, also when the agent is stopped before restic has ended", async () => {
  const { queue, add, outcomes } = world();
  queue.open([]);
  add(1);
  await settle();
  queue.cancel(jobId(1), false);
  await queue.stop();
  expect(outcomes()).toEqual([[jobId(1), "cancelled"]]);
});

const restoreCommand = (n: number) => ({
  ...command(n),
  kind: "restore",
  input: {
    snapshot_id: "a".repeat(64),
    paths: ["/"],
    target: { kind: "folder" },
    overwrite: "always",
    delete: false,
    dry_run: false,
    verify: false,
    sparse: false,
  },
});

test("a restore goes before what waits, after what runs and after restores that came before", async () => {
  const { queue, working, add, journal } = world();
  queue.open([]);
  add(1);
  await settle();
  add(2);
  add(3, "restore");
  add(4);
  add(5, "restore");
  for (let n = 0; n < 5; n += 1) {
    working[n]?.end(DONE);
    await settle();
    await settle();
  }
  expect(working.map(({ job }) => job.id)).toEqual([1, 3, 5, 2, 4].map(jobId));
  await queue.stop();
  expect(journal.held()).toEqual([]);
});

test("the same after a restart, whatever waited before it", async () => {
  const { queue, working, journal } = world();
  for (const given of [command(1), restoreCommand(2), command(3)]) journal.accept(given);
  queue.open(journal.held());
  for (let n = 0; n < 3; n += 1) {
    await settle();
    await settle();
    working[n]?.end(DONE);
  }
  await settle();
  expect(working.map(({ job }) => job.id)).toEqual([2, 1, 3].map(jobId));
  await queue.stop();
});

test("what only reads leaves the list of snapshots as it is known", async () => {
  const { queue, working, reports, add } = world();
  queue.open([]);
  add(1, "restore");
  await settle();
  working[0]?.end({ state: "cancelled" });
  await settle();
  await settle();
  expect(reports).toEqual([]);
  await queue.stop();
});
