import { expect, test } from "bun:test";
import { jobById } from "../jobs/store.ts";
import { turnHolders } from "../jobs/turns.ts";
import { addHost, addJob, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { claimTurns, waitingForTurn } from "./turns.ts";

const MINUTE = 60_000;
const SHARED = { repository_id: "a".repeat(64) };
const PREVIEW = '{"dry_run":true}';

onEveryStore("turns on a repository", (open) => {
  test("one job at a time has it, whichever hosts share it; the next says for whom it waits", async () => {
    const db = await open();
    const [a, b, alone] = [await addHost(db, SHARED), await addHost(db, SHARED), await addHost(db)];
    const first = await addJob(db, a, "queued", { kind: "prune" });
    const second = await addJob(db, b, "queued", { kind: "check" });
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
    const held = await addJob(db, gone, "running", { kind: "prune" });
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
});
