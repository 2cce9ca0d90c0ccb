import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { refreshHost } from "../hosts/refresh.ts";
import { readLog } from "../jobs/log-reader.ts";
import { growLog, insertChunk, insertGap, setLogBytes } from "../jobs/log-store.ts";
import type { Database, NewJobRecord } from "../platform/db/schema.ts";
import type { RetentionLimits } from "../platform/retention-limits.ts";
import { repositoryState } from "../repositories/state.ts";
import { addCredentials, addHost, addJob, newJobId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { JOBS_A_STEP, ROWS_A_STEP } from "./broom.ts";
import { brooms, sweepAll } from "./sweep.ts";

const DAY = 24 * 3600_000;
const LIMITS: RetentionLimits = {
  logsMs: 90 * DAY,
  logBytesPerHost: null,
  logBytes: null,
  jobsMs: 400 * DAY,
  auditMs: 730 * DAY,
};

/** Everything that is due at `now`, in as many ticks as it takes. */
async function sweep(db: Database, limits: Partial<RetentionLimits> = {}, now = NOON): Promise<void> {
  const all = brooms(db, { ...LIMITS, ...limits });
  const fail = (error: unknown) => {
    throw error;
  };
  while ((await sweepAll(all, now, fail)) > 0);
}

/** A finished job `days` before noon, with a log of that many chunks of 100 bytes. */
async function aged(
  db: Database,
  hostId: HostId,
  days: number,
  given: Partial<NewJobRecord> & { chunks?: number } = {},
): Promise<JobId> {
  const { chunks = 1, ...columns } = given;
  const at = NOON - days * DAY;
  const id = await addJob(db, hostId, columns.state ?? "succeeded", {
    id: newJobId(),
    created_at: at - 60_000,
    finished_at: at,
    ...columns,
  });
  await db.transaction().execute(async (trx) => {
    for (let n = 0; n < chunks; n++)
      await insertChunk(trx, id, { first_line: n, count: 1, raw_size: 9, data: new Uint8Array(100) });
    await growLog(trx, id, chunks, 0);
    await setLogBytes(trx, { id, host_id: hostId, log_bytes: 0 }, chunks * 100);
  });
  return id;
}

async function jobOf(db: Database, id: JobId) {
  return db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
}
async function chunksOf(db: Database, id: JobId): Promise<number> {
  return (await db.selectFrom("log_chunks").select("first_line").where("job_id", "=", id).execute()).length;
}
async function logBytes(db: Database, id: HostId): Promise<number> {
  return (await db.selectFrom("hosts").select("log_bytes").where("id", "=", id).executeTakeFirstOrThrow())
    .log_bytes;
}

onEveryStore("a log", (open) => {
  test("goes when its job ended long enough ago, and what remains says so", async () => {
    const db = await open();
    const host = await addHost(db);
    const [old, young] = [await aged(db, host, 90, { chunks: 3 }), await aged(db, host, 89)];
    await db.transaction().execute((trx) => insertGap(trx, old, 9, 1));
    await sweep(db);
    expect(await jobOf(db, old)).toMatchObject({
      log_bytes: 0,
      log_lines: 3,
      log_removed_at: NOON,
      log_removed_for: "age",
    });
    expect([await chunksOf(db, old), await chunksOf(db, young)]).toEqual([0, 1]);
    expect(await db.selectFrom("log_gaps").selectAll().execute()).toEqual([]);
    expect(await logBytes(db, host)).toBe(100);
    expect(await readLog(db, old, 0, 100)).toEqual({
      lines: [],
      gaps: [],
      end: 3,
      complete: true,
      removed: { at: new Date(NOON).toISOString(), why: "age" },
    });
    expect(await readLog(db, young, 0, 100)).not.toHaveProperty("removed");
  });

  test("stays however old, when it is the host's newest of its kind", async () => {
    const db = await open();
    const [host, other] = [await addHost(db), await addHost(db)];
    const init = await aged(db, host, 390, { kind: "init" });
    const [before, last] = [await aged(db, host, 300), await aged(db, host, 299, { state: "failed" })];
    // Ended later without ever having had a log.
    await aged(db, host, 200, { chunks: 0, state: "cancelled" });
    const others = await aged(db, other, 300);
    await sweep(db);
    expect(await Promise.all([init, before, last, others].map((id) => chunksOf(db, id)))).toEqual([
      1, 0, 1, 1,
    ]);
  });

  test("of a job that has not ended is never touched", async () => {
    const db = await open();
    const host = await addHost(db);
    const running = await addJob(db, host, "running", { created_at: NOON - 500 * DAY });
    await db
      .transaction()
      .execute((trx) =>
        insertChunk(trx, running, { first_line: 0, count: 1, raw_size: 9, data: new Uint8Array(9) }),
      );
    await aged(db, host, 1);
    await sweep(db, { logBytes: 1, logBytesPerHost: 1 });
    expect(await chunksOf(db, running)).toBe(1);
  });

  test("of many chunks goes in bounded steps, and is gone for its readers from the first", async () => {
    const db = await open();
    const host = await addHost(db);
    const chunks = ROWS_A_STEP + 10;
    const [large, last] = [await aged(db, host, 100, { chunks }), await aged(db, host, 1)];
    const [, , oldLogs] = brooms(db, LIMITS);
    expect(await oldLogs?.sweep(NOON)).toBe(true);
    expect(await chunksOf(db, large)).toBe(10);
    expect(await jobOf(db, large)).toMatchObject({ log_bytes: chunks * 100, log_removed_at: NOON });
    expect((await readLog(db, large, 0, 10))?.lines).toEqual([]);
    // Another server goes on where this one was killed; the day of the removal stays the first.
    await sweep(db, {}, NOON + DAY);
    expect(await chunksOf(db, large)).toBe(0);
    expect(await jobOf(db, large)).toMatchObject({ log_bytes: 0, log_removed_at: NOON });
    expect(await logBytes(db, host)).toBe(100);
    expect(await chunksOf(db, last)).toBe(1);
  });

  test("is looked for behind a step's worth of logs that stay", async () => {
    const db = await open();
    for (let n = 0; n < JOBS_A_STEP + 5; n++) await aged(db, await addHost(db), 300 - n);
    const host = await addHost(db);
    const [old] = [await aged(db, host, 100), await aged(db, host, 1)];
    await sweep(db);
    expect(await chunksOf(db, old)).toBe(0);
  });

  test("makes room, the oldest first, when its host has too much, and no other host's does", async () => {
    const db = await open();
    const [host, other] = [await addHost(db), await addHost(db)];
    const ids = [];
    for (const days of [5, 4, 3, 2]) ids.push(await aged(db, host, days));
    const old = await aged(db, other, 6);
    await aged(db, other, 5);
    await sweep(db, { logBytesPerHost: 250 });
    expect(await Promise.all(ids.map((id) => chunksOf(db, id)))).toEqual([0, 0, 1, 1]);
    expect(await jobOf(db, ids[0] ?? old)).toMatchObject({ log_removed_for: "room" });
    expect(await chunksOf(db, old)).toBe(1);
    expect(await logBytes(db, host)).toBe(200);
  });

  test("makes room, the oldest of all hosts first, when all together have too much", async () => {
    const db = await open();
    const [host, other] = [await addHost(db), await addHost(db)];
    const oldest = await aged(db, host, 9);
    await aged(db, host, 1);
    const older = await aged(db, other, 8);
    await aged(db, other, 1);
    await sweep(db, { logBytes: 300 });
    expect([await chunksOf(db, oldest), await chunksOf(db, older)]).toEqual([0, 1]);
    // However small the bound, each host's newest stays.
    await sweep(db, { logBytes: 1, logBytesPerHost: 1 });
    expect([await logBytes(db, host), await logBytes(db, other)]).toEqual([100, 100]);
  });

  test("is kept for ever when that is wished", async () => {
    const db = await open();
    const host = await addHost(db);
    const old = await aged(db, host, 380);
    await aged(db, host, 1);
    await sweep(db, { logsMs: null });
    expect(await chunksOf(db, old)).toBe(1);
  });
});

onEveryStore("a job", (open) => {
  test("goes a year and a month after its end, with its log", async () => {
    const db = await open();
    const host = await addHost(db);
    const first = await aged(db, host, 500);
    const [old, large] = [await aged(db, host, 401), await aged(db, host, 400, { chunks: ROWS_A_STEP + 1 })];
    const young = await aged(db, host, 399);
    const waiting = await addJob(db, host, "queued", { created_at: NOON - 900 * DAY });
    await sweep(db, { logsMs: null });
    expect(
      await Promise.all([first, old, large, young, waiting].map(async (id) => !!(await jobOf(db, id)))),
    ).toEqual([true, false, false, true, true]);
    expect(await logBytes(db, host)).toBe(200);
  });

  test("stays while how the host stands rests on it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyJob, { minLength: 1, maxLength: 12 }), async (jobs) => {
        const db = shared ?? (shared = await open());
        const host = await addHost(db);
        await addCredentials(db, host);
        for (const { days, ...job } of jobs)
          await aged(db, host, days, {
            ...job,
            ...(job.kind === "init" && job.state === "succeeded"
              ? { result: JSON.stringify({ repository_id: "a".repeat(64), created: true }) }
              : {}),
          });
        const before = await standing(db, host);
        await sweep(db);
        expect(await standing(db, host)).toEqual(before);
      }),
      { numRuns: 40 },
    );
    shared = undefined;
  }, 60_000);
  let shared: Database | undefined;
});

const anyJob = fc.record({
  kind: fc.constantFrom("backup" as const, "init" as const),
  state: fc.constantFrom("succeeded" as const, "failed" as const, "cancelled" as const),
  days: fc.integer({ min: 380, max: 430 }),
  issue_count: fc.constantFrom(0, 0, 2),
});

async function standing(db: Database, hostId: HostId) {
  await db.transaction().execute((trx) => refreshHost(trx, hostId));
  const { log_bytes: _, ...host } = await db
    .selectFrom("hosts")
    .selectAll()
    .where("id", "=", hostId)
    .executeTakeFirstOrThrow();
  const first = await db
    .selectFrom("jobs")
    .select("id")
    .where("host_id", "=", hostId)
    .where("kind", "=", "backup")
    .where("state", "=", "succeeded")
    .orderBy("finished_at")
    .limit(1)
    .execute();
  return { host, first: first.length, repository: await repositoryState(db, hostId) };
}

onEveryStore("what gathers beside", (open) => {
  test("measurements thin out: all of a month, one a day of a year, then one a week", async () => {
    const db = await open();
    const host = await addHost(db);
    const midnight = Math.floor(NOON / DAY) * DAY;
    const at = (days: number, hour: number) => midnight - days * DAY + hour * 3600_000;
    const taken = [at(5, 1), at(5, 9), at(40, 1), at(40, 9), at(41, 3)];
    for (let days = 400; days < 421; days++) taken.push(at(days, 4));
    await db
      .insertInto("repository_stats")
      .values(taken.map((taken_at) => ({ host_id: host, taken_at, total_size: 1, snapshots_count: 1 })))
      .execute();
    await sweep(db);
    const left = await db
      .selectFrom("repository_stats")
      .select("taken_at")
      .orderBy("taken_at", "desc")
      .execute();
    const times = left.map((row) => row.taken_at);
    expect(times.slice(0, 4)).toEqual([at(5, 9), at(5, 1), at(40, 9), at(41, 3)]);
    expect(times.slice(4).length).toBeGreaterThanOrEqual(3);
    expect(times.slice(4).length).toBeLessThanOrEqual(4);
    await sweep(db, {}, NOON + 60_000);
    expect(await db.selectFrom("repository_stats").select("taken_at").execute()).toHaveLength(times.length);
  });

  test("lives of an agent's state go, but for the newest two and the one it lives", async () => {
    const db = await open();
    const epoch = (n: number) => Epoch.parse(String(n).padStart(32, "0"));
    const host = await addHost(db, { epoch: epoch(1) });
    for (let n = 0; n < 6; n++)
      await db
        .insertInto("link_epochs")
        .values({ host_id: host, epoch: epoch(n), last_seq: 1, started_at: NOON - (100 - n) * DAY })
        .execute();
    await sweep(db);
    const left = await db.selectFrom("link_epochs").select("epoch").orderBy("epoch").execute();
    expect(left.map((row) => row.epoch)).toEqual([1, 4, 5].map(epoch));
  });

  test("audit rows, rejected frames, parts of lists, sessions and failures go when they are old enough", async () => {
    const db = await open();
    const host = await addHost(db);
    const rejected = { host_id: host, epoch: Epoch.parse("0".repeat(32)), reason: "", body: "" };
    await db
      .insertInto("rejected_frames")
      .values([
        { ...rejected, seq: 1, at: NOON - 91 * DAY },
        { ...rejected, seq: 2, at: NOON },
      ])
      .execute();
    await db
      .insertInto("snapshot_parts")
      .values([
        { host_id: host, taken_at: NOON - 8 * DAY, part: 0, body: "[]" },
        { host_id: host, taken_at: NOON, part: 0, body: "[]" },
      ])
      .execute();
    const audit = { actor_kind: "user" as const, actor_name: "ada", action: "host.updated", detail: "{}" };
    await db
      .insertInto("audit")
      .values([
        { ...audit, id: "1", at: NOON - 731 * DAY },
        { ...audit, id: "2", at: NOON - 729 * DAY },
      ])
      .execute();
    await db
      .insertInto("sign_in_failures")
      .values([
        { key: "a", count: 1, last_at: NOON - 2 * DAY },
        { key: "b", count: 1, last_at: NOON },
      ])
      .execute();
    await sweep(db);
    expect(await db.selectFrom("rejected_frames").select("seq").execute()).toEqual([{ seq: 2 }]);
    expect(await db.selectFrom("snapshot_parts").select("taken_at").execute()).toEqual([{ taken_at: NOON }]);
    expect(await db.selectFrom("audit").select("id").execute()).toEqual([{ id: "2" }]);
    expect(await db.selectFrom("sign_in_failures").select("key").execute()).toEqual([{ key: "b" }]);
  });
});

describe("a tick", () => {
  test("goes on with the rest when one thing cannot be removed, and says which", async () => {
    const said: string[] = [];
    const swept: string[] = [];
    const broken = { what: "logs", sweep: () => Promise.reject(new Error("the disk is full")) };
    const sound = {
      what: "jobs",
      async sweep() {
        swept.push("jobs");
        return swept.length < 3;
      },
    };
    const worked = await sweepAll([broken, sound], NOON, (error, what) =>
      said.push(`${what}: ${String(error)}`),
    );
    expect(said).toEqual(["logs: Error: the disk is full"]);
    expect([swept.length, worked]).toEqual([3, 2]);
  });

  test("ends early when the server stops", async () => {
    let steps = 0;
    const endless = { what: "logs", sweep: () => Promise.resolve((steps += 1) > 0) };
    await sweepAll(
      [endless, endless],
      NOON,
      () => undefined,
      () => steps >= 2,
    );
    expect(steps).toBe(2);
  });
});
