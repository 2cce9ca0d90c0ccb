import { expect, test } from "bun:test";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { addHost, addJob, newHostId, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { refreshHost } from "./refresh.ts";

const refresh = (db: Database, id: HostId) => db.transaction().execute((trx) => refreshHost(trx, id));
const read = (db: Database, id: HostId) =>
  db.selectFrom("hosts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

onEveryStore("a refreshed host", (open, kind) => {
  test("shows the backup that ended last, and how long it took", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, id, "succeeded", { finished_at: NOON + 1_000 });
    const last = await addJob(db, id, "succeeded", { finished_at: NOON + 90_000, issue_count: 3 });
    expect(await refresh(db, id)).toBe("issues");
    expect(await read(db, id)).toMatchObject({
      status: "issues",
      status_rank: 3,
      cause_code: "issues",
      cause_since: NOON + 90_000,
      last_backup_job_id: last,
      last_backup_state: "succeeded",
      last_backup_at: NOON + 90_000,
      last_backup_duration_ms: 90_000,
      last_backup_issues: 3,
      last_success_at: NOON + 90_000,
    });
  });

  test("keeps its standing through a cancelled backup, which is still the last one", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, id, "failed", { finished_at: NOON + 1_000 });
    const cancelled = await addJob(db, id, "cancelled", { finished_at: NOON + 2_000 });
    expect(await refresh(db, id)).toBe("failed");
    expect(await read(db, id)).toMatchObject({
      last_backup_job_id: cancelled,
      last_backup_duration_ms: null,
      cause_code: "wrong_password",
      last_success_at: null,
    });
  });

  test("dates the same trouble from its first time", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, id, "failed", { finished_at: NOON + 1_000 });
    await refresh(db, id);
    await addJob(db, id, "failed", { finished_at: NOON + 9_000 });
    await refresh(db, id);
    expect(await read(db, id)).toMatchObject({ cause_since: NOON + 1_000, last_backup_at: NOON + 9_000 });
    await addJob(db, id, "succeeded", { finished_at: NOON + 10_000 });
    expect(await refresh(db, id)).toBe("protected");
    expect(await read(db, id)).toMatchObject({ cause_code: null, cause_message: null, cause_since: null });
  });

  test("takes a repository that did not open for a failure until it opens", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, id, "failed", { kind: "init", created_at: NOON });
    expect(await refresh(db, id)).toBe("failed");
    const again = await addJob(db, id, "running", { kind: "init", created_at: NOON + 1 });
    expect(await refresh(db, id)).toBe("running");
    const ended = { state: "succeeded", finished_at: NOON + 5, result: "{}" } as const;
    await db.updateTable("jobs").set(ended).where("id", "=", again).execute();
    expect(await refresh(db, id)).toBe("new");
  });

  test("knows nothing of other hosts' jobs", async () => {
    const db = await open();
    const id = await addHost(db);
    await addJob(db, await addHost(db), "failed");
    expect(await refresh(db, id)).toBe("new");
  });

  test("is nothing when it is not there", async () => {
    const db = await open();
    expect(await refresh(db, newHostId())).toBeUndefined();
  });

  if (kind === "postgres") {
    test("is right after two transactions at once, whichever commits last", async () => {
      const db = await open();
      const id = await addHost(db);
      const job = await addJob(db, id, "running", { finished_at: null });
      await refresh(db, id);
      const ended = {
        state: "failed",
        finished_at: NOON + 5,
        error: '{"code":"failed","message":"no"}',
      } as const;
      const [held, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const first = db.transaction().execute(async (trx) => {
        await trx.updateTable("jobs").set(ended).where("id", "=", job).execute();
        await refreshHost(trx, id);
        held.resolve();
        await gate.promise;
      });
      await held.promise;
      const second = db.transaction().execute(async (trx) => {
        await addJob(trx, id, "queued");
        const status = refreshHost(trx, id);
        gate.resolve();
        return status;
      });
      await first;
      expect(await second).toBe("failed");
    });
  }
});
