import { expect, test } from "bun:test";
import { Epoch, type HostId, type JobId } from "@restic-manager/protocol/ids";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { createCore } from "./core.ts";
import { refreshHost } from "./hosts/refresh.ts";
import { jobOver } from "./job-over.ts";
import { cancelJob, giveUpJob } from "./jobs/jobs.ts";
import { ProgressBoard } from "./jobs/progress.ts";
import { endWaiting } from "./jobs/waiting-store.ts";
import { claimTurns } from "./link/turns.ts";
import { giveUpUpkeep } from "./maintenance/give-up.ts";
import type { Database } from "./platform/db/schema.ts";
import { storeTime } from "./platform/db/store-time.ts";
import { createLog } from "./platform/log.ts";
import { EPOCH } from "./testing/link.ts";
import { ADA, testParts } from "./testing/parts.ts";
import { addHost, addJob, NOON } from "./testing/rows.ts";
import { onEveryStore } from "./testing/stores.ts";

/** Jobs that the server ends by itself: no agent reports their end, and what follows from it is the same. */

const SHARED = { repository_id: "a".repeat(64) };
const SENT = { kind: "prune" as const, sent_at: NOON, accepted_at: NOON, sent_epoch: Epoch.parse(EPOCH) };

function world(db: Database) {
  const parts = testParts(db);
  const progress = new ProgressBoard(parts.bus, async () => undefined);
  const queued = () => parts.published.flatMap(([topic, event]) => (topic === "job.queued" ? [event] : []));
  return { ...parts, refreshHost, jobOver, progress, queued };
}

async function takeTurn(db: Database, job: JobId): Promise<void> {
  const turn = { repository: SHARED.repository_id, job_id: job, taken_at: NOON };
  await db.insertInto("repository_turns").values(turn).execute();
}

async function standing(db: Database, host: HostId) {
  const row = await db
    .selectFrom("hosts")
    .select(["status", "cause_code", "upkeep_trouble"])
    .where("id", "=", host)
    .executeTakeFirstOrThrow();
  return { ...row, upkeep_trouble: JSON.parse(row.upkeep_trouble ?? "null") as unknown };
}

onEveryStore("a job that needed its repository for itself", (open) => {
  test("given up on: its host says what is wrong there, and whoever waited for it is delivered", async () => {
    const db = await open();
    const parts = world(db);
    const away = await addHost(db, { ...SHARED, online: 0 });
    const job = await addJob(db, away, "running", SENT);
    await takeTurn(db, job);
    const here = await addHost(db, SHARED);
    const next = await addJob(db, here, "queued", { kind: "check" });
    expect(await giveUpJob(parts, job, ADA)).toBe("given_up");
    expect(await standing(db, away)).toMatchObject({
      upkeep_trouble: { sort: "failing", code: "given_up", message: expect.stringContaining("prune") },
    });
    expect(parts.queued()).toEqual([{ jobId: next, hostId: here }]);
  });

  test("cancelled before it left: the turn it had passes on, and nothing is wrong", async () => {
    const db = await open();
    const parts = world(db);
    const [one, other] = [await addHost(db, SHARED), await addHost(db, SHARED)];
    const job = await addJob(db, one, "queued", { kind: "prune" });
    await claimTurns(db, [one], NOON);
    const next = await addJob(db, other, "queued", { kind: "forget_snapshots" });
    await cancelJob(parts, job, { now: false, actor: ADA });
    expect(parts.queued()).toEqual([{ jobId: next, hostId: other }]);
    expect((await standing(db, one)).upkeep_trouble).toBeNull();
    const backup = await addJob(db, one, "queued");
    await cancelJob(parts, backup, { now: false, actor: ADA });
    expect(parts.queued()).toHaveLength(1);
  });

  test("ordered by the server for a machine that is away: the turn it had passes on", async () => {
    const db = await open();
    const parts = world(db);
    const [away, here] = [await addHost(db, { ...SHARED, online: 0 }), await addHost(db, SHARED)];
    const job = await addJob(db, away, "queued", { kind: "prune", actor_kind: "system" });
    await claimTurns(db, [away], NOON);
    const next = await addJob(db, here, "queued", { kind: "tag" });
    await giveUpUpkeep({ ...parts, endWaiting });
    const row = await db.selectFrom("jobs").select("state").where("id", "=", job).executeTakeFirst();
    expect(row?.state).toBe("cancelled");
    expect(parts.queued()).toEqual([{ jobId: next, hostId: here }]);
  });

  test("regression: lost by its agent, it kept other hosts waiting for the next look and its own host silent", async () => {
    const db = await open();
    const { clock, bus, seal, audit } = testParts(db);
    const errors: unknown[] = [];
    const core = createCore({
      db,
      clock,
      bus,
      nodes: { node: "alone", alone: true, live: () => ["alone"], time: storeTime(db, clock) },
      log: createLog(clock, (line) => errors.push(line)),
      seal,
      audit,
      publicAddress: async () => "https://backup.example.org",
    });
    core.link.start();
    const hello = async (host: HostId) => {
      const said: ServerMessage[] = [];
      const socket = {
        send(text: string) {
          said.push(JSON.parse(text) as ServerMessage);
          return true;
        },
        close: () => undefined,
      };
      const words = { machine_id: host, epoch: EPOCH, outbox: { lowest: 1, highest: 0 }, jobs: [] };
      const connection = core.link.opened(host, socket, "192.0.2.7");
      core.link.received(connection, JSON.stringify({ type: "hello", protocol_version: 3, ...words }));
      await core.link.settled();
      return said;
    };
    const [loses, waits] = [await addHost(db, SHARED), await addHost(db, SHARED)];
    const lost = await addJob(db, loses, "running", SENT);
    await takeTurn(db, lost);
    const next = await addJob(db, waits, "queued", { kind: "check" });
    const told = await hello(waits);
    expect(told.filter(({ type }) => type === "command.run")).toEqual([]);
    await hello(loses);
    expect(await standing(db, loses)).toMatchObject({ upkeep_trouble: { code: "agent_lost_job" } });
    expect(told).toContainEqual(
      expect.objectContaining({ type: "command.run", job_id: next, kind: "check" }),
    );
    await core.link.stop();
    expect(errors).toEqual([]);
  });
});
