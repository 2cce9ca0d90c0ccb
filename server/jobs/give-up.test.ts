import { expect, test } from "bun:test";
import { LogChunkHeader } from "@restic-manager/protocol/log-chunk";
import { refreshHost } from "../hosts/refresh.ts";
import { nothingTouched } from "../link/touched.ts";
import type { Database } from "../platform/db/schema.ts";
import { ADA, testParts } from "../testing/parts.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { cancelJob, findJob, giveUpJob } from "./jobs.ts";
import { ProgressBoard } from "./progress.ts";
import { finishLost, recordJob } from "./record.ts";
import { recordLogs } from "./record-logs.ts";

function jobs(db: Database) {
  const parts = testParts(db);
  return {
    ...parts,
    refreshHost,
    jobOver: async () => [],
    progress: new ProgressBoard(parts.bus, async () => undefined),
  };
}
const SENT = { sent_at: NOON, sent_epoch: "0".repeat(32) as never };
const header = (jobId: string, first_line: number) =>
  LogChunkHeader.parse({ seq: 1, job_id: jobId, first_line, count: 1, raw_size: 9 });

onEveryStore("giving up on a job", (open) => {
  test("ends one that its machine took and took away, and the host stands accordingly", async () => {
    const db = await open();
    const parts = jobs(db);
    const host = await addHost(db, { online: 0 });
    const id = await addJob(db, host, "running", SENT);
    expect(await giveUpJob(parts, id, ADA)).toBe("given_up");
    expect(await findJob(parts, id)).toMatchObject({ state: "failed", error: { code: "given_up" } });
    const { status, cause_code } = await db.selectFrom("hosts").selectAll().executeTakeFirstOrThrow();
    expect([status, cause_code]).toEqual(["failed", "given_up"]);
    const [row] = await db.selectFrom("audit").selectAll().execute();
    expect(row).toMatchObject({ action: "job.given_up", target_id: id, actor_name: "ada" });
    expect(parts.published.map(([topic]) => topic)).toEqual(["job.changed", "host.changed"]);
    expect(await giveUpJob(parts, id, ADA)).toBe("finished");
  });

  test("is refused while the machine is connected, and for one that never had the job", async () => {
    const db = await open();
    const parts = jobs(db);
    const connected = await addJob(db, await addHost(db), "running", SENT);
    const unsent = await addJob(db, await addHost(db, { online: 0 }), "queued");
    expect(await giveUpJob(parts, connected, ADA)).toBe("not_lost");
    expect(await giveUpJob(parts, unsent, ADA)).toBe("not_lost");
    expect(await db.selectFrom("audit").selectAll().execute()).toEqual([]);
  });

  test("stands when the machine comes back after all: it must let go, and its log is counted", async () => {
    const db = await open();
    const parts = jobs(db);
    const host = await addHost(db, { online: 0 });
    const id = await addJob(db, host, "running", SENT);
    await giveUpJob(parts, id, ADA);
    const touched = nothingTouched();
    await db.transaction().execute(async (trx) => {
      const at = new Date(NOON).toISOString();
      await recordJob(trx, host, { type: "job.started", job_id: id, at }, touched, NOON);
      await recordLogs(trx, [{ hostId: host, header: header(id, 0), chunk: new Uint8Array(40) }], touched);
    });
    expect(touched.letGo.get(id)).toBe(host);
    expect(await findJob(parts, id)).toMatchObject({ state: "failed", error: { code: "given_up" } });
    const { log_bytes } = await db.selectFrom("hosts").select("log_bytes").executeTakeFirstOrThrow();
    expect(log_bytes).toBe(40);
  });
});

onEveryStore("a job that ended otherwise than by its agent's word", (open) => {
  test("that was lost has its log counted, so that retention finds it", async () => {
    const db = await open();
    const host = await addHost(db);
    const id = await addJob(db, host, "running", SENT);
    await db.transaction().execute(async (trx) => {
      await recordLogs(
        trx,
        [{ hostId: host, header: header(id, 0), chunk: new Uint8Array(40) }],
        nothingTouched(),
      );
      await finishLost(trx, [{ jobId: id, why: "agent_lost_job" }], NOON, nothingTouched());
    });
    expect((await db.selectFrom("jobs").select("log_bytes").executeTakeFirstOrThrow()).log_bytes).toBe(40);
  });

  test("whose log was removed takes no more of it", async () => {
    const db = await open();
    const host = await addHost(db);
    const id = await addJob(db, host, "succeeded", { log_removed_at: NOON, log_removed_for: "age" });
    await db
      .transaction()
      .execute((trx) =>
        recordLogs(
          trx,
          [{ hostId: host, header: header(id, 0), chunk: new Uint8Array(40) }],
          nothingTouched(),
        ),
      );
    expect(await db.selectFrom("log_chunks").select("job_id").execute()).toEqual([]);
  });

  test("that was cancelled unsent no longer shows its host as queued", async () => {
    const db = await open();
    const host = await addHost(db);
    const id = await addJob(db, host, "queued");
    await db.transaction().execute((trx) => refreshHost(trx, host));
    await cancelJob(jobs(db), id, { now: false, actor: ADA });
    expect((await db.selectFrom("hosts").select("status").executeTakeFirstOrThrow()).status).toBe("new");
  });
});
