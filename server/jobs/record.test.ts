import { expect, test } from "bun:test";
import fc from "fast-check";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { CHUNK_RAW_BYTES } from "@restic-manager/protocol/limits";
import { encodeLogLine } from "@restic-manager/protocol/log-lines";
import { nothingTouched, type Touched } from "../link/touched.ts";
import type { Database } from "../platform/db/schema.ts";
import { addHost, addJob, newJobId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { readLog } from "./log-reader.ts";
import { finishLost, recordJob, type JobMessage } from "./record.ts";
import { recordLogs } from "./record-logs.ts";
import { cancelUnsent, jobById } from "./store.ts";

const AT = new Date(NOON + 1_000).toISOString();
const INIT = { repository_id: "a".repeat(64), created: true };

function finished(job_id: JobId, outcome: Finished["outcome"], lines = 0): Finished {
  return {
    type: "job.finished",
    job_id,
    kind: "init",
    started_at: AT,
    finished_at: AT,
    outcome,
    log_lines: lines,
  };
}
type Finished = Extract<JobMessage, { type: "job.finished" }>;
const succeeded = (id: JobId) => finished(id, { state: "succeeded", result: INIT });
const failed = (id: JobId) =>
  finished(id, { state: "failed", error: { code: "wrong_password", message: "no" } });

async function tell(db: Database, hostId: HostId, ...messages: JobMessage[]): Promise<Touched> {
  const touched = nothingTouched();
  await db.transaction().execute(async (trx) => {
    for (const message of messages) await recordJob(trx, hostId, message, touched, NOON + 3600_000);
  });
  return touched;
}

async function tellLog(
  db: Database,
  hostId: HostId,
  jobId: JobId,
  firstLine: number,
  lines: string[],
): Promise<void> {
  const raw = Buffer.from(lines.map((text) => encodeLogLine({ at: NOON, stream: "stdout", text })).join(""));
  const header = {
    seq: 1,
    job_id: jobId,
    first_line: firstLine,
    count: lines.length,
    raw_size: raw.byteLength,
  };
  await db
    .transaction()
    .execute((trx) =>
      recordLogs(trx, [{ hostId, header, chunk: Bun.zstdCompressSync(raw) }], nothingTouched()),
    );
}

onEveryStore("what an agent reports of a job", (open) => {
  test("moves it from queued over running to its outcome", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "queued", { kind: "init" });
    await tell(db, hostId, { type: "job.accepted", job_id: id, at: AT });
    expect(await jobById(db, id)).toMatchObject({ state: "queued", accepted_at: NOON + 1_000 });
    await tell(db, hostId, { type: "job.started", job_id: id, at: AT });
    expect(await jobById(db, id)).toMatchObject({ state: "running", started_at: NOON + 1_000 });
    const touched = await tell(db, hostId, succeeded(id));
    expect(await jobById(db, id)).toMatchObject({
      state: "succeeded",
      result: JSON.stringify(INIT),
      error: null,
    });
    expect([...touched.jobs]).toEqual([[id, hostId]]);
    expect([...touched.hosts]).toEqual([hostId]);
  });

  test("counts once: the first outcome wins, and an agent that still holds the job is told to let go", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "queued", { kind: "init" });
    await tell(db, hostId, failed(id), succeeded(id));
    expect(await jobById(db, id)).toMatchObject({ state: "failed", result: null });
    const touched = await tell(db, hostId, { type: "job.started", job_id: id, at: AT });
    expect([...touched.letGo.keys()]).toEqual([id]);
    expect(touched.unfit).toEqual([{ jobId: id, hostId, event: "job.started" }]);
    expect(await jobById(db, id)).toMatchObject({ state: "failed" });
  });

  test("is not believed of another host's job", async () => {
    const db = await open();
    const [mine, other] = [await addHost(db), await addHost(db)];
    const id = await addJob(db, mine, "queued", { kind: "init" });
    await tell(db, other, succeeded(id), { type: "job.started", job_id: id, at: AT });
    await tellLog(db, other, id, 0, ["forged"]);
    expect(await jobById(db, id)).toMatchObject({ state: "queued", log_lines: 0 });
  });

  test("that reads as success but cannot be understood is a failure that says so, not a stuck job", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "running", { kind: "init" });
    await tell(db, hostId, finished(id, { state: "succeeded", result: { from: "the future" } }));
    const job = await jobById(db, id);
    expect(job?.state).toBe("failed");
    expect(job?.error).toContain("agent_outdated");
  });

  test("of a job this server has forgotten writes it anew, with its log marked as missing", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = newJobId();
    const recreate = { input: {}, actor_kind: "schedule" as const, created_at: AT };
    await tell(db, hostId, { ...failed(id), log_lines: 7, recreate });
    expect(await jobById(db, id)).toMatchObject({
      state: "failed",
      actor_kind: "schedule",
      log_lines: 7,
      log_missing: 7,
    });
    const page = await readLog(db, id, 0, 100);
    expect(page).toMatchObject({ lines: [], gaps: [{ first_line: 0, count: 7 }], complete: true });
  });

  test("of a job nobody knows, without enough to write it anew, changes nothing", async () => {
    const db = await open();
    const hostId = await addHost(db);
    await tell(db, hostId, failed(newJobId()));
    expect(await db.selectFrom("jobs").selectAll().execute()).toEqual([]);
  });

  test("never comes: a lost job fails with the reason, one that has ended keeps its outcome", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const lost = await addJob(db, hostId, "running", { kind: "init" });
    const done = await addJob(db, hostId, "succeeded", { kind: "init" });
    const touched = nothingTouched();
    const entries = [lost, done].map((jobId) => ({ jobId, why: "agent_lost_job" as const }));
    await db.transaction().execute((trx) => finishLost(trx, entries, NOON + 9, touched));
    expect((await jobById(db, lost))?.error).toContain("agent_lost_job");
    expect(await jobById(db, done)).toMatchObject({ state: "succeeded" });
    expect([...touched.jobs.keys()]).toEqual([lost]);
  });

  test("a job is cancelled at once only as long as no agent can have it", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const waiting = await addJob(db, hostId, "queued");
    const sent = await addJob(db, hostId, "queued", { sent_at: NOON });
    await db.transaction().execute(async (trx) => {
      expect(await cancelUnsent(trx, waiting, NOON)).toBe(true);
      expect(await cancelUnsent(trx, sent, NOON)).toBe(false);
    });
    expect(await jobById(db, waiting)).toMatchObject({ state: "cancelled" });
  });

  test("in any order and with any repeats leads to one outcome that never changes again", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const event = fc.constantFrom("accepted", "started", "succeeded", "failed", "cancelled");
    await fc.assert(
      fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 12 }), async (events) => {
        const id = await addJob(db, hostId, "queued", { kind: "init" });
        let outcome: string | undefined;
        for (const what of events) {
          await tell(db, hostId, message(id, what));
          const job = await jobById(db, id);
          if (job?.finished_at === null) continue;
          outcome ??= JSON.stringify(job);
          expect(JSON.stringify(job)).toBe(outcome);
        }
        const ended = events.some((what) => ["succeeded", "failed", "cancelled"].includes(what));
        expect(outcome !== undefined).toBe(ended);
      }),
      { numRuns: 40 },
    );
  });

  test("log chunks are kept once and read from any line, with what gave way as a hole", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "running", { kind: "init" });
    await tellLog(db, hostId, id, 0, ["a", "b", "c"]);
    await tellLog(db, hostId, id, 0, ["a", "b", "c"]);
    await tell(db, hostId, { type: "log.gap", job_id: id, first_line: 3, count: 4 });
    await tell(db, hostId, { type: "log.gap", job_id: id, first_line: 3, count: 4 });
    await tellLog(db, hostId, id, 7, ["d"]);
    expect(await jobById(db, id)).toMatchObject({ log_lines: 8, log_missing: 4 });
    const page = await readLog(db, id, 1, 100);
    expect(page?.lines.map((line) => [line.n, line.text])).toEqual([
      [1, "b"],
      [2, "c"],
      [7, "d"],
    ]);
    expect(page).toMatchObject({ gaps: [{ first_line: 3, count: 4 }], end: 8, complete: false });
    expect((await readLog(db, id, 5, 1))?.lines).toMatchObject([{ n: 7 }]);
  });

  test("the outcome settles what of the log is missing", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "running", { kind: "init" });
    await tellLog(db, hostId, id, 0, ["a"]);
    await tell(db, hostId, finished(id, { state: "cancelled" }, 5));
    expect(await jobById(db, id)).toMatchObject({ state: "cancelled", log_lines: 5, log_missing: 4 });
    expect(await readLog(db, id, 0, 10)).toMatchObject({
      gaps: [{ first_line: 1, count: 4 }],
      complete: true,
    });
  });

  test("a chunk that cannot be inflated, or would inflate to far more than allowed, does not shift later lines", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "running", { kind: "init" });
    const bomb = Bun.zstdCompressSync(Buffer.alloc(CHUNK_RAW_BYTES * 100));
    await db.transaction().execute(async (trx) => {
      const header = { seq: 1, job_id: id, first_line: 0, count: 2, raw_size: 10 };
      const unreadable = { hostId, header, chunk: new Uint8Array([1, 2, 3]) };
      const enormous = { hostId, header: { ...header, first_line: 2 }, chunk: bomb };
      await recordLogs(trx, [unreadable, enormous], nothingTouched());
    });
    await tellLog(db, hostId, id, 4, ["after"]);
    const page = await readLog(db, id, 0, 10);
    expect(page?.lines.map((line) => line.n)).toEqual([0, 1, 2, 3, 4]);
    expect(page?.lines.at(-1)?.text).toBe("after");
  });
});

onEveryStore("an agent with a wrong clock", (open) => {
  test("cannot make a backup the last one for years, nor one that ends before it began", async () => {
    const db = await open();
    const hostId = await addHost(db, { clock_skew_ms: 0 });
    const [ahead, behind] = [
      await addJob(db, hostId, "queued", { kind: "init" }),
      await addJob(db, hostId, "queued", { kind: "init" }),
    ];
    await tell(db, hostId, { ...succeeded(ahead), finished_at: "2035-01-01T00:00:00.000Z" });
    await tell(db, hostId, { ...succeeded(behind), finished_at: "1970-01-01T00:00:00.000Z" });
    expect(await jobById(db, ahead)).toMatchObject({ finished_at: NOON + 3600_000 });
    const began = Date.parse(AT);
    expect(await jobById(db, behind)).toMatchObject({ started_at: began, finished_at: began });
  });

  test("that was set back while a job ran does not make it end before it began, whoever's clock it was", async () => {
    const db = await open();
    const hostId = await addHost(db, { clock_skew_ms: 0 });
    const at = (ms: number) => new Date(NOON + ms).toISOString();
    const [theirs, ours, waiting] = [
      await addJob(db, hostId, "queued", { kind: "init" }),
      await addJob(db, hostId, "running", { kind: "init", started_at: NOON + 5_000 }),
      await addJob(db, hostId, "queued", { kind: "init", created_at: NOON + 5_000 }),
    ];
    await tell(db, hostId, { type: "job.started", job_id: theirs, at: at(600_000) });
    await tell(db, hostId, { ...succeeded(theirs), started_at: at(600_000), finished_at: at(1_000) });
    expect(await jobById(db, theirs)).toMatchObject({
      started_at: NOON + 600_000,
      finished_at: NOON + 600_000,
    });
    const lost = [{ jobId: ours, why: "agent_lost_job" as const }];
    await db.transaction().execute((trx) => finishLost(trx, lost, NOON, nothingTouched()));
    expect(await jobById(db, ours)).toMatchObject({ finished_at: NOON + 5_000 });
    await db.transaction().execute((trx) => cancelUnsent(trx, waiting, NOON));
    expect(await jobById(db, waiting)).toMatchObject({ finished_at: NOON + 5_000 });
  });

  test("writes a forgotten job anew with an end that is not before its beginning", async () => {
    const db = await open();
    const hostId = await addHost(db, { clock_skew_ms: 0 });
    const id = newJobId();
    const recreate = { input: {}, actor_kind: "user" as const, created_at: new Date(NOON).toISOString() };
    const early = new Date(NOON + 10).toISOString();
    await tell(db, hostId, { ...succeeded(id), finished_at: early, recreate });
    expect(await jobById(db, id)).toMatchObject({ started_at: NOON + 1_000, finished_at: NOON + 1_000 });
  });

  test("still has its jobs' lengths right when its skew is known", async () => {
    const db = await open();
    const hostId = await addHost(db, { clock_skew_ms: -86_400_000 });
    const id = await addJob(db, hostId, "queued", { kind: "init" });
    const at = (ms: number) => new Date(NOON - 86_400_000 + ms).toISOString();
    await tell(db, hostId, { type: "job.started", job_id: id, at: at(1_000) });
    await tell(db, hostId, { ...succeeded(id), started_at: at(1_000), finished_at: at(61_000) });
    expect(await jobById(db, id)).toMatchObject({ started_at: NOON + 1_000, finished_at: NOON + 61_000 });
  });
});

function message(id: JobId, what: string): JobMessage {
  switch (what) {
    case "accepted":
      return { type: "job.accepted", job_id: id, at: AT };
    case "started":
      return { type: "job.started", job_id: id, at: AT };
    case "succeeded":
      return succeeded(id);
    case "failed":
      return failed(id);
    default:
      return finished(id, { state: "cancelled" });
  }
}
