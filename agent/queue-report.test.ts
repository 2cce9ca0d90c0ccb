import { expect, test } from "bun:test";
import type { HeldJob } from "./journal.ts";
import { Queue } from "./queue.ts";
import { command, testJournal } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";

/** A queue over a real journal; `between` is what reports do. */
function queueWith(between: (cancel: AbortSignal) => Promise<"told" | "later">) {
  const books = testJournal();
  const { journal } = books;
  const timers = manualTimers();
  const errors: unknown[] = [];
  const done: string[] = [];
  const queue = new Queue({
    journal,
    async work(job) {
      done.push(job.id);
      return { state: "cancelled" };
    },
    between,
    onError: (error) => errors.push(error),
    room: async () => {},
    timers,
  });
  const accept = (n: number): HeldJob => {
    const taken = journal.accept(command(n));
    if (taken.verdict !== "new") throw new Error("the job was there");
    return taken.job;
  };
  return { journal, queue, done, accept, timers, errors, close: () => books.close() };
}

test("a report that hangs at a repository that went away does not hold up a job, and is made after it", async () => {
  const reports: AbortSignal[] = [];
  const second = Promise.withResolvers<void>();
  const { queue, journal, done, accept, close } = queueWith((cancel) => {
    reports.push(cancel);
    if (reports.length === 2) {
      journal.report([]);
      second.resolve();
      return Promise.resolve("told");
    }
    return new Promise((resolve) => cancel.addEventListener("abort", () => resolve("later"), { once: true }));
  });
  journal.markReportDue();
  queue.open([]);
  expect(reports.length).toBe(1);
  const job = accept(1);
  queue.add(job);
  await second.promise;
  expect(reports[0]?.aborted).toBe(true);
  expect(done).toEqual([job.id]);
  await queue.stop();
  close();
});

/** Lets the queue's own steps run; nothing in it waits for time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a repository that did not answer is asked again a quarter of an hour later, also by a later life", async () => {
  let asked = 0;
  const { queue, journal, timers, close } = queueWith(async () => {
    asked += 1;
    if (asked < 2) return "later";
    journal.report([]);
    return "told";
  });
  journal.markReportDue();
  queue.open([]);
  await settle();
  expect(asked).toBe(1);
  // What a restart would find.
  expect(journal.reportDue).toBe(true);
  timers.advance(15 * 60_000);
  await settle();
  expect(asked).toBe(2);
  expect(journal.reportDue).toBe(false);
  close();
});

test("a report that fails for a defect is not tried without end", async () => {
  let asked = 0;
  const { queue, journal, errors, close } = queueWith(async () => {
    asked += 1;
    throw new Error("a defect");
  });
  journal.markReportDue();
  queue.open([]);
  await settle();
  await settle();
  expect(asked).toBe(1);
  expect(errors).toHaveLength(1);
  await queue.stop();
  close();
});

test("a report that becomes due while nothing runs is made when the queue is woken", async () => {
  let asked = 0;
  const { queue, journal, close } = queueWith(async () => {
    asked += 1;
    journal.report([]);
    return "told";
  });
  queue.open([]);
  await settle();
  journal.resync();
  queue.wake();
  await settle();
  expect(asked).toBe(1);
  close();
});
