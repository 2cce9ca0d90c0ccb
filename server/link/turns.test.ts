import { expect, test } from "bun:test";
import { Epoch, JobId } from "@restic-manager/protocol/ids";
import { EXCLUSIVE_KINDS } from "@restic-manager/protocol/jobs/exclusive";
import { jobById } from "../jobs/store.ts";
import { turnHolders } from "../jobs/turns.ts";
import { EPOCH } from "../testing/link.ts";
import type { Database } from "../platform/db/schema.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { claimTurns, waitingForTurn } from "./turns.ts";

const MINUTE = 60_000;
const SHARED = { repository_id: "a".repeat(64) };
/** Ids rise with time; within one millisecond those of `addJob` do not. */
const idNo = (n: number) => JobId.parse(`01JD${String(n).padStart(22, "0")}`);
const EPOCH_ID = Epoch.parse(EPOCH);
const OVER = { state: "succeeded" as const, started_at: NOON, finished_at: NOON, result: "{}" };
const holderOf = async (db: Database) =>
  (await db.selectFrom("repository_turns").select("job_id").executeTakeFirst())?.job_id;
const PREVIEW = '{"dry_run":true}';

onEveryStore("turns on a repository", (open) => {
  test("one job at a time has it, whichever hosts share it; the next says for whom it waits", async () => {
    const db = await open();
    const [a, b, alone] = [await addHost(db, SHARED), await addHost(db, SHARED), await addHost(db)];
    const first = await addJob(db, a, "queued", { id: idNo(1), kind: "prune" });
    const second = await addJob(db, b, "queued", { id: idNo(2), kind: "check" });
    const own = await addJob(db, alone, "queued", { kind: "forget" });
    const turns = async () =>
      (await db.selectFrom("repository_turns").select("job_id").execute())
        .map((row) => row.job_id)
        .toSorted();
    await claimTurns(db, [a, b, alone], NOON);
    await claimTurns(db, [b], NOON);
    expect(await turns()).toEqual([first, own].toSorted());
    const waits = await jobById(db, second);
    if (waits === undefined) throw new Error("the job is gone");
    expect((await turnHolders(db, [waits])).get(second)).toMatchObject({ job_id: first, kind: "prune" });
    await db
      .updateTable("jobs")
      .set({ state: "succeeded", started_at: NOON, finished_at: NOON, result: "{}" })
      .where("id", "=", first)
      .execute();
    const next = await db.transaction().execute((trx) => waitingForTurn(trx, a));
    expect(next).toEqual([{ id: second, host_id: b }]);
    await claimTurns(db, [b], NOON);
    expect(await turns()).toEqual([second, own].toSorted());
  });

  test("backups, unlocks and previews need none", async () => {
    const db = await open();
    const host = await addHost(db, SHARED);
    await addJob(db, host, "queued");
    await addJob(db, host, "queued", { kind: "unlock" });
    await addJob(db, host, "queued", { kind: "forget", input: PREVIEW });
    await claimTurns(db, [host], NOON);
    expect(await db.selectFrom("repository_turns").selectAll().execute()).toEqual([]);
  });

  test("a machine that is away for a quarter of an hour has lost its turn", async () => {
    const db = await open();
    const gone = await addHost(db, { ...SHARED, online: 0, last_seen_at: NOON });
    const here = await addHost(db, SHARED);
    const held = await addJob(db, gone, "running", { kind: "prune", sent_at: NOON, accepted_at: NOON });
    const next = await addJob(db, here, "queued", { kind: "prune" });
    await db
      .insertInto("repository_turns")
      .values({ repository: SHARED.repository_id, job_id: held, taken_at: NOON })
      .execute();
    const holder = async () =>
      (await db.selectFrom("repository_turns").select("job_id").executeTakeFirst())?.job_id;
    await claimTurns(db, [here], NOON + 14 * MINUTE);
    expect(await holder()).toBe(held);
    await claimTurns(db, [here], NOON + 16 * MINUTE);
    expect(await holder()).toBe(next);
  });

  test("regression: a job that was sent when its machine went away, and lost its turn, waited for ever", async () => {
    const db = await open();
    const away = await addHost(db, { ...SHARED, online: 0, last_seen_at: NOON });
    const here = await addHost(db, SHARED);
    const lost = await addJob(db, away, "queued", { kind: "prune", sent_at: NOON, sent_epoch: EPOCH_ID });
    const next = await addJob(db, here, "queued", { kind: "prune" });
    await db
      .insertInto("repository_turns")
      .values({ repository: SHARED.repository_id, job_id: lost, taken_at: NOON })
      .execute();
    await claimTurns(db, [here], NOON + 16 * MINUTE);
    expect(await holderOf(db)).toBe(next);
    await db.updateTable("jobs").set(OVER).where("id", "=", next).execute();
    await db.updateTable("hosts").set({ online: 1 }).where("id", "=", away).execute();
    const waiting = await db.transaction().execute((trx) => waitingForTurn(trx, here));
    expect(waiting).toEqual([{ id: lost, host_id: away }]);
    await claimTurns(db, [away], NOON + 17 * MINUTE);
    expect(await holderOf(db)).toBe(lost);
  });

  test("a machine that comes back at work, after another had its turn, is waited for", async () => {
    const db = await open();
    const back = await addHost(db, SHARED);
    const [here, third] = [await addHost(db, SHARED), await addHost(db, SHARED)];
    const atWork = await addJob(db, back, "running", { kind: "prune", sent_at: NOON, accepted_at: NOON });
    const second = await addJob(db, here, "succeeded", { kind: "prune" });
    await db
      .insertInto("repository_turns")
      .values({ repository: SHARED.repository_id, job_id: second, taken_at: NOON })
      .execute();
    const next = await addJob(db, third, "queued", { kind: "check" });
    await claimTurns(db, [third], NOON + 20 * MINUTE);
    expect(await holderOf(db)).toBe(second);
    await db.updateTable("jobs").set(OVER).where("id", "=", atWork).execute();
    await claimTurns(db, [third], NOON + 20 * MINUTE);
    expect(await holderOf(db)).toBe(next);
  });

  test("the turn of a job that never left for a machine that is away is free after a minute", async () => {
    const db = await open();
    const away = await addHost(db, { ...SHARED, online: 0, last_seen_at: NOON });
    const here = await addHost(db, SHARED);
    const unsent = await addJob(db, away, "queued", { kind: "prune" });
    const next = await addJob(db, here, "queued", { kind: "prune" });
    await claimTurns(db, [away], NOON);
    await claimTurns(db, [here], NOON + MINUTE - 1);
    expect(await holderOf(db)).toBe(unsent);
    await claimTurns(db, [here], NOON + MINUTE);
    expect(await holderOf(db)).toBe(next);
  });

  test.each(EXCLUSIVE_KINDS.map((kind) => [kind]))(
    "a %s takes turns with every other kind that needs one",
    async (kind) => {
      const db = await open();
      for (const [at, other] of EXCLUSIVE_KINDS.entries()) {
        const repository_id = String(at).repeat(64);
        const [a, b] = [await addHost(db, { repository_id }), await addHost(db, { repository_id })];
        const first = await addJob(db, a, "queued", { id: idNo(2 * at), kind });
        const second = await addJob(db, b, "queued", { id: idNo(2 * at + 1), kind: other });
        await claimTurns(db, [a, b], NOON);
        const waits = await jobById(db, second);
        if (waits === undefined) throw new Error("the job is gone");
        expect((await turnHolders(db, [waits])).get(second)).toMatchObject({ job_id: first, kind });
        await db.updateTable("jobs").set(OVER).where("id", "=", first).execute();
        await claimTurns(db, [b], NOON);
        expect((await turnHolders(db, [waits])).get(second)).toBeUndefined();
      }
    },
  );
});
