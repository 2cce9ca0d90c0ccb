import { afterEach, expect, test } from "bun:test";
import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { Ballast } from "./ballast.ts";
import { command, jobId, testJournal } from "./testing/journal.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function journal() {
  const made = testJournal();
  open.push(made);
  return made;
}

const SUCCESS = { state: "succeeded" as const, result: { repository_id: "a".repeat(64), created: true } };
const FAILURE = { state: "failed" as const, error: { code: "failed" as const, message: "no" } };
const types = (frames: (string | Uint8Array)[]) =>
  frames.map((frame) => (JSON.parse(String(frame)) as { message: { type: string } }).message.type);

test("a command is taken once; the same one again is only answered", () => {
  const { journal: book, waiting } = journal();
  expect(book.accept(command(1))).toMatchObject({ verdict: "new", job: { id: jobId(1), state: "accepted" } });
  expect(book.accept(command(1))).toEqual({ verdict: "known" });
  expect(types(waiting())).toEqual(["job.accepted", "job.accepted"]);
  expect(book.held()).toHaveLength(1);
});

test("a command for a job that has ended is answered with its outcome again", () => {
  const { journal: book, waiting } = journal();
  book.accept(command(1));
  book.started(jobId(1));
  book.finished(jobId(1), SUCCESS);
  expect(book.accept(command(1))).toEqual({ verdict: "known" });
  expect(types(waiting()).slice(-2)).toEqual(["job.accepted", "job.finished"]);
  expect(book.held()).toEqual([]);
});

test("the first outcome wins", () => {
  const { journal: book, waiting } = journal();
  book.accept(command(1));
  book.finished(jobId(1), FAILURE);
  book.finished(jobId(1), SUCCESS);
  expect(types(waiting()).filter((type) => type === "job.finished")).toHaveLength(1);
  expect(String(waiting().at(-1))).toContain('"failed"');
});

test("a kind this agent does not know fails at once and says that the agent is old", () => {
  const { journal: book, waiting } = journal();
  expect(book.accept({ ...command(1), kind: "teleport" })).toEqual({ verdict: "refused" });
  expect(String(waiting()[0])).toContain("agent_outdated");
  expect(book.held()).toEqual([]);
});

test("an input that cannot be read fails the job instead of stopping the agent", () => {
  const { journal: book, waiting } = journal();
  expect(book.accept({ ...command(1), kind: "backup", input: { includes: "-o" } })).toEqual({
    verdict: "refused",
  });
  expect(String(waiting()[0])).toContain("invalid_input");
});

test("a cancel for a job that never came keeps a late command from running it", () => {
  const { journal: book, waiting } = journal();
  expect(book.cancelUnknown(jobId(1))).toBe(true);
  expect(book.cancelUnknown(jobId(1))).toBe(false);
  expect(book.accept(command(1))).toEqual({ verdict: "known" });
  expect(types(waiting())).toEqual(["job.finished", "job.accepted", "job.finished"]);
});

test("a later life finds jobs in the order they came, with the process that worked on one", () => {
  const first = testJournal();
  first.journal.accept(command(2));
  first.journal.accept(command(1));
  first.journal.started(jobId(2));
  first.journal.spawned(jobId(2), { pid: 4_711, startedAt: "boot:17" });
  first.db.close();
  const later = testJournal({ folder: first.folder });
  open.push(later);
  expect(later.journal.held()).toMatchObject([
    { id: jobId(2), state: "running", process: { pid: 4_711, startedAt: "boot:17" } },
    { id: jobId(1), state: "accepted", process: null },
  ]);
  expect(later.journal.standing()).toMatchObject({
    lowest: 1,
    highest: 3,
    jobs: [{ id: jobId(2) }, { id: jobId(1) }],
  });
});

test("what the repository holds is due after a backup that was cancelled or cut off: restic may have saved its snapshot", () => {
  const { journal: book } = journal();
  const failed = (code: JobErrorCode): JobOutcome => ({ state: "failed", error: { code, message: "no" } });
  const dueAfter = (n: number, outcome: JobOutcome, begun: boolean): boolean => {
    book.report([]);
    book.accept(command(n));
    if (begun) book.started(jobId(n));
    book.finished(jobId(n), outcome);
    return book.reportDue;
  };
  expect(dueAfter(1, { state: "cancelled" }, true)).toBe(true);
  expect(dueAfter(2, failed("failed"), true)).toBe(true);
  expect(dueAfter(3, failed("agent_restarted"), true)).toBe(true);
  expect(dueAfter(4, failed("disk_full"), true)).toBe(true);
  // restic never ran, or came nowhere: asking such a repository again would only fail again.
  expect(dueAfter(5, { state: "cancelled" }, false)).toBe(false);
  expect(dueAfter(6, failed("wrong_password"), true)).toBe(false);
  expect(dueAfter(7, failed("repository_unreachable"), true)).toBe(false);
});

test("what the repository holds is due after a success, also for a later life", () => {
  const { journal: book } = journal();
  expect(book.reportDue).toBe(false);
  book.accept(command(1));
  book.finished(jobId(1), SUCCESS);
  expect(book.reportDue).toBe(true);
  book.report([]);
  expect(book.reportDue).toBe(false);
});

test("a resync tells every outcome again, with enough to write the job anew", () => {
  const { journal: book, outbox, waiting } = journal();
  for (const n of [1, 2]) {
    book.accept(command(n));
    book.finished(jobId(n), FAILURE);
  }
  outbox.acknowledge(outbox.highest);
  book.resync();
  expect(waiting()).toHaveLength(2);
  for (const frame of waiting()) {
    expect(JSON.parse(String(frame))).toMatchObject({
      message: {
        type: "job.finished",
        recreate: { input: {}, actor_kind: "user", created_at: command(1).created_at },
      },
    });
  }
});

test("whoever listens hears of new frames only after they are committed", () => {
  const { journal: book, outbox, db } = journal();
  const insideTransaction: boolean[] = [];
  outbox.onCommitted(() => insideTransaction.push(db.inTransaction));
  book.accept(command(1));
  book.log({ jobId: jobId(1), firstLine: 0, count: 1, rawSize: 1, data: new Uint8Array(1) });
  book.finished(jobId(1), SUCCESS);
  expect(insideTransaction).toEqual([false, false, false]);
});

test("a ballast takes real room and can be given up and laid again", () => {
  const { folder } = journal();
  const ballast = new Ballast(`${folder}/ballast`, 1024 * 1024);
  expect(ballast.lay()).toBe(true);
  expect(Bun.file(`${folder}/ballast`).size).toBe(1024 * 1024);
  expect(ballast.giveUp()).toBe(true);
  expect(ballast.giveUp()).toBe(false);
  expect(ballast.lay()).toBe(true);
});

test("the outcome of a job with an input over the protocol's bound still fits a frame", () => {
  const { journal: book, waiting } = journal();
  const includes = Array.from({ length: 250 }, (_, n) => `/${n}${"x".repeat(4_000)}`);
  const input = { source_group_id: jobId(2), source_group_name: "all", includes, excludes: [] };
  book.accept({ ...command(1), kind: "backup", input });
  book.finished(jobId(1), FAILURE);
  expect(Math.max(...waiting().map((frame) => frame.length))).toBeLessThan(1024 * 1024);
});
