import { expect, test } from "bun:test";
import { refreshHost } from "../hosts/refresh.ts";
import { testParts } from "../testing/parts.ts";
import { addHost, addJob, addSchedule, addSourceGroup, NOON } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { abandonWaiting, judgeWaiting } from "./waiting.ts";

const MINUTE = 60_000;
const group = { retryMax: 3, retryBackoffSeconds: 60 };
const job = { createdAt: 0, group, scheduleExists: true };

test.each([
  [0, { verdict: "wait", tries: 0, nextAt: MINUTE }],
  [MINUTE - 1, { verdict: "wait", tries: 0, nextAt: MINUTE }],
  [MINUTE, { verdict: "wait", tries: 1, nextAt: 3 * MINUTE }],
  [3 * MINUTE, { verdict: "wait", tries: 2, nextAt: 7 * MINUTE }],
  [7 * MINUTE, { verdict: "give_up", tries: 3 }],
  // A clock that was set back.
  [-MINUTE, { verdict: "wait", tries: 0, nextAt: MINUTE }],
] as const)("after %i ms it is judged with doubled waits", (now, verdict) => {
  expect(judgeWaiting(job, now)).toEqual(verdict);
});

test("no wait is longer than half an hour", () => {
  const patient = { ...job, group: { retryMax: 10, retryBackoffSeconds: 1_000 } };
  expect(judgeWaiting(patient, 0)).toMatchObject({ nextAt: 1_000_000 });
  expect(judgeWaiting(patient, 1_000_000)).toMatchObject({ tries: 1, nextAt: 1_000_000 + 30 * MINUTE });
});

test("a group without tries does not wait, and what nobody wants any more is dropped", () => {
  expect(judgeWaiting({ ...job, group: { ...group, retryMax: 0 } }, 0)).toEqual({
    verdict: "give_up",
    tries: 0,
  });
  expect(judgeWaiting({ ...job, group: null }, 0)).toEqual({ verdict: "drop", why: "group_gone" });
  expect(judgeWaiting({ ...job, scheduleExists: false }, 0)).toEqual({
    verdict: "drop",
    why: "schedule_gone",
  });
});

onEveryStore("a job for a host that is away", (open) => {
  test("is given up after its group's tries, with a record, and not a second time", async () => {
    const db = await open();
    const parts = { ...testParts(db), refreshHost };
    const host = await addHost(db, { name: "laptop", online: 0 });
    const id = await addSourceGroup(db, host);
    await db.updateTable("source_groups").set({ retry_max: 2, retry_backoff_seconds: 60 }).execute();
    const waiting = await addJob(db, host, "queued", { source_group_id: id, source_group_name: "default" });
    const init = await addJob(db, host, "queued", { kind: "init" });
    const sent = await addJob(db, host, "queued", { source_group_id: id, sent_at: NOON });
    const here = await addHost(db, { online: 1 });
    const there = await addJob(db, here, "queued", { source_group_id: await addSourceGroup(db, here) });
    const states = async () =>
      new Map(
        (await db.selectFrom("jobs").select(["id", "state"]).execute()).map((row) => [row.id, row.state]),
      );
    parts.clock.advance(3 * MINUTE - 1);
    await abandonWaiting(parts);
    expect((await states()).get(waiting)).toBe("queued");
    parts.clock.advance(1);
    await abandonWaiting(parts);
    await abandonWaiting(parts);
    expect(await states()).toEqual(
      new Map([
        [waiting, "failed"],
        [init, "queued"],
        [sent, "queued"],
        [there, "queued"],
      ]),
    );
    const audit = await db.selectFrom("audit").selectAll().execute();
    expect(audit).toHaveLength(1);
    expect(audit[0]).toMatchObject({
      action: "pending_run.abandoned",
      actor_kind: "system",
      target_name: "laptop",
    });
    expect(JSON.parse(audit[0]?.detail ?? "")).toEqual({
      job_id: waiting,
      source_group: "default",
      why: "host_offline",
      tries: 2,
    });
    const { error } = await db
      .selectFrom("jobs")
      .select("error")
      .where("id", "=", waiting)
      .executeTakeFirstOrThrow();
    expect(error).toContain("after 2 tries");
    expect(parts.published).toContainEqual(["job.changed", { jobId: waiting, hostId: host }]);
  });

  test("is dropped when its schedule or its group is gone", async () => {
    const db = await open();
    const parts = { ...testParts(db), refreshHost };
    const host = await addHost(db, { online: 0 });
    const id = await addSourceGroup(db, host);
    const schedule = await addSchedule(db, host, [id]);
    await addJob(db, host, "queued", { source_group_id: id, schedule_id: schedule });
    await db.deleteFrom("schedules").execute();
    await abandonWaiting(parts);
    expect((await db.selectFrom("jobs").select("state").executeTakeFirst())?.state).toBe("cancelled");
    await addJob(db, host, "queued", { source_group_id: id });
    await db.deleteFrom("source_groups").execute();
    await abandonWaiting(parts);
    const audit = await db.selectFrom("audit").select("detail").orderBy("id").execute();
    expect(audit.map((row) => (JSON.parse(row.detail) as { why: string }).why)).toEqual([
      "schedule_gone",
      "group_gone",
    ]);
  });
});
