import { expect, test } from "bun:test";
import type { HeldJob } from "./journal.ts";
import { Queue } from "./queue.ts";
import { command, testJournal } from "./testing/journal.ts";

/** A queue over a real journal; `between` is what reports do. */
function queueWith(between: (cancel: AbortSignal) => Promise<void>) {
  const books = testJournal();
  const { journal } = books;
  const done: string[] = [];
  const queue = new Queue({
    journal,
    async work(job) {
      done.push(job.id);
      return { state: "cancelled" };
    },
    between,
    onError: (error) => {
      throw error;
    },
    room: async () => {},
  });
  const accept = (n: number): HeldJob => {
    const taken = journal.accept(command(n));
    if (taken.verdict !== "new") throw new Error("the job was there");
    return taken.job;
  };
  return { journal, queue, done, accept, close: () => books.close() };
}

test("a report that hangs at a repository that went away does not hold up a job, and is made after it", async () => {
  const reports: AbortSignal[] = [];
  const second = Promise.withResolvers<void>();
  const { queue, journal, done, accept, close } = queueWith((cancel) => {
    reports.push(cancel);
    if (reports.length === 2) {
      journal.report([]);
      second.resolve();
      return Promise.resolve();
    }
    return new Promise((resolve) => cancel.addEventListener("abort", () => resolve(), { once: true }));
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
