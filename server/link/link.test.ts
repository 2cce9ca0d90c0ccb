import { expect, test } from "bun:test";
import { CLOSE } from "@restic-manager/protocol/close";
import { encodeDurable } from "@restic-manager/protocol/frame";
import { HELLO_DEADLINE_MS, OFFLINE_AFTER_MS } from "@restic-manager/protocol/limits";
import type { Database } from "../platform/db/schema.ts";
import { addHost, addJob } from "../testing/rows.ts";
import { EPOCH, gap, linkWorld as world } from "../testing/link.ts";
import { onEveryStore } from "../testing/stores.ts";
import type { Connection } from "./connection.ts";

const lastSeq = async (db: Database) =>
  (await db.selectFrom("link_epochs").selectAll().execute())[0]?.last_seq;
const online = async (db: Database) => (await db.selectFrom("hosts").selectAll().execute())[0]?.online;

onEveryStore("the server's end of the link", (open) => {
  test("commits frames in order, once each, and acknowledges after", async () => {
    const db = await open();
    const { dial, applied, errors } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    for (const seq of [1, 2, 2, 1, 3]) await agent.durable(seq);
    expect(applied).toEqual([1, 2, 3]);
    expect(agent.acks()).toEqual([1, 2, 2, 2, 3]);
    expect(await lastSeq(db)).toBe(3);
    expect(errors).toEqual([]);
  });

  test("closes on a hole in the numbers, and what follows it is not applied", async () => {
    const db = await open();
    const { dial, applied } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    await agent.durable(2);
    expect(agent.closed()).toBe(CLOSE.gap);
    expect(applied).toEqual([]);
  });

  test("takes many frames that arrive together in one transaction", async () => {
    const db = await open();
    let settles = 0;
    const { dial, link, applied } = world(db, { refreshHosts: async () => void (settles += 1) });
    const agent = dial(await addHost(db));
    await agent.hello();
    settles = 0;
    for (let seq = 1; seq <= 50; seq += 1) link.received(agent.connection, encodeDurable(seq, gap(seq)));
    await link.settled();
    expect(applied).toHaveLength(50);
    expect(settles).toBe(1);
    expect(agent.acks()).toEqual([50]);
  });

  test("keeps a frame that cannot be applied aside, names it, and goes on with the next", async () => {
    const db = await open();
    const { dial, applied } = world(db, {
      apply: async (_trx, _from, durable) => {
        if (durable.type !== "message" || durable.message.type !== "log.gap") return;
        if (durable.message.first_line === 2) throw new Error("a defect");
        applied.push(durable.message.first_line);
      },
    });
    const agent = dial(await addHost(db));
    await agent.hello();
    for (const seq of [1, 2, 3]) await agent.durable(seq);
    await agent.send('{"type":"durable","seq":4,"message":{"type":"from the future"}}');
    await agent.durable(5);
    expect(applied.filter((n, i) => applied.indexOf(n) === i)).toEqual([1, 3, 5]);
    expect(agent.acks().at(-1)).toBe(5);
    const kept = await db.selectFrom("rejected_frames").select(["seq", "reason"]).orderBy("seq").execute();
    expect(kept.map((row) => row.seq)).toEqual([2, 4]);
    expect(kept[0]?.reason).toContain("a defect");
  });

  test("acknowledges nothing while the store refuses to commit, says so, and loses nothing", async () => {
    const db = await open();
    let full = true;
    const { dial, clock, link, bus, applied } = world(db, {
      apply: async (_trx, _from, durable) => {
        if (full) throw new Error("the disk is full");
        if (durable.type === "message" && durable.message.type === "log.gap")
          applied.push(durable.message.first_line);
      },
      isStoreTrouble: () => true,
    });
    const told: boolean[] = [];
    const failed = Promise.withResolvers<void>();
    bus.subscribe("store.changed", ({ failing }) => {
      told.push(failing);
      failed.resolve();
    });
    const agent = dial(await addHost(db));
    await agent.hello();
    link.received(agent.connection, encodeDurable(1, gap(1)));
    await failed.promise;
    // The link lays down its wait right after it has told of the trouble.
    await Promise.resolve();
    expect(agent.acks()).toEqual([]);
    full = false;
    clock.advance(1_000);
    await link.settled();
    expect(applied).toEqual([1]);
    expect(agent.acks()).toEqual([1]);
    expect(told).toEqual([true, false]);
  });

  test("names what is wrong with a malformed frame and stays; the tenth in a minute closes", async () => {
    const db = await open();
    const { dial, clock } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    for (let i = 0; i < 9; i += 1) await agent.send("{");
    expect(agent.said.at(-1)).toMatchObject({ type: "error", code: "malformed_frame" });
    expect(agent.closed()).toBeUndefined();
    clock.advance(60_000);
    await agent.send("{");
    expect(agent.closed()).toBeUndefined();
    for (let i = 0; i < 9; i += 1) await agent.send("{");
    expect(agent.closed()).toBe(CLOSE.malformed);
  });

  test("a second hello on the same connection is named as wrong and changes nothing", async () => {
    const db = await open();
    const { dial, applied } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    await agent.durable(1);
    await agent.hello();
    expect(agent.said.at(-1)).toMatchObject({ type: "error", code: "malformed_frame" });
    await agent.durable(2);
    expect(applied).toEqual([1, 2]);
    expect(agent.said.filter((message) => message.type === "welcome")).toHaveLength(1);
  });

  test("the newest connection of a machine wins; what the older one still says is ignored", async () => {
    const db = await open();
    const { dial, applied } = world(db);
    const hostId = await addHost(db);
    const [older, newer] = [dial(hostId), dial(hostId)];
    await older.hello();
    await newer.hello();
    expect(older.closed()).toBe(CLOSE.replaced);
    await older.durable(1);
    expect(applied).toEqual([]);
    await newer.durable(1);
    expect(applied).toEqual([1]);
    expect(await online(db)).toBe(1);
  });

  test("a second machine with the same bearer is refused while the first lives, and the host's page says so", async () => {
    const db = await open();
    const { dial, clock } = world(db);
    const hostId = await addHost(db);
    const [first, clone] = [dial(hostId), dial(hostId)];
    await first.hello();
    await clone.hello({ machine_id: "m2", hostname: "copy" });
    expect(clone.closed()).toBe(CLOSE.clone);
    expect(clone.said).toMatchObject([{ type: "error", code: "clone" }]);
    expect(first.closed()).toBeUndefined();
    const host = await db.selectFrom("hosts").select("link_problem").executeTakeFirstOrThrow();
    expect(host.link_problem).toContain("copy");
    clock.advance(OFFLINE_AFTER_MS + 20_000);
    const moved = dial(hostId);
    await moved.hello({ machine_id: "m2" });
    expect(moved.closed()).toBeUndefined();
  });

  for (const [version, code] of [
    [0, "protocol_too_old"],
    [99, "protocol_too_new"],
  ] as const) {
    test(`an agent that speaks version ${version} is told ${code}, with where to read on`, async () => {
      const db = await open();
      const { dial } = world(db);
      const agent = dial(await addHost(db));
      await agent.send(JSON.stringify({ type: "hello", protocol_version: version }));
      expect(agent.said).toMatchObject([
        { type: "error", code, help_url: expect.stringContaining("https://") },
      ]);
      expect(agent.closed()).toBe(CLOSE.protocol);
    });
  }

  test("a socket that says nothing is closed, and a host that falls silent is offline after 90 s", async () => {
    const db = await open();
    const { dial, clock, link } = world(db);
    const hostId = await addHost(db);
    const mute = dial(hostId);
    clock.advance(HELLO_DEADLINE_MS);
    expect(mute.closed()).toBe(CLOSE.hello_late);
    const agent = dial(hostId);
    await agent.hello();
    clock.advance(OFFLINE_AFTER_MS - 10_000);
    await agent.send(JSON.stringify({ type: "heartbeat", at: new Date(clock.now()).toISOString() }));
    clock.advance(60_000);
    await link.settled();
    expect(await online(db)).toBe(1);
    clock.advance(OFFLINE_AFTER_MS);
    await link.settled();
    expect(await online(db)).toBe(0);
    // Not "replaced", after which an agent tries slowly.
    expect(agent.closed()).toBe(CLOSE.silent);
  });

  test("a server's clock that is set ahead throws nobody out, and one that is set back still notices a silence", async () => {
    const db = await open();
    const { dial, clock, link } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    clock.set(2 * 3600_000);
    clock.advance(OFFLINE_AFTER_MS - 20_000);
    await link.settled();
    expect(agent.closed()).toBeUndefined();
    expect(await online(db)).toBe(1);
    clock.set(-4 * 3600_000);
    clock.advance(40_000);
    await link.settled();
    expect(agent.closed()).toBe(CLOSE.silent);
    expect(await online(db)).toBe(0);
  });

  test("a clone is refused after the server's clock was set ahead, too", async () => {
    const db = await open();
    const { dial, clock } = world(db);
    const hostId = await addHost(db);
    const agent = dial(hostId);
    await agent.hello({ machine_id: "one" });
    clock.set(2 * 3600_000);
    const clone = dial(hostId);
    await clone.hello({ machine_id: "another" });
    expect(clone.closed()).toBe(CLOSE.clone);
    expect(agent.closed()).toBeUndefined();
  });

  test("a job that was not answered is sent again after the server's clock was set back, too", async () => {
    const db = await open();
    const { dial, clock, link } = world(db);
    const hostId = await addHost(db);
    await addJob(db, hostId, "queued");
    const agent = dial(hostId);
    await agent.hello();
    clock.set(-2 * 3600_000);
    clock.advance(30_000);
    await link.settled();
    expect(agent.said.filter((message) => message.type === "command.run").length).toBe(2);
  });

  test("a waiting job goes out when its host arrives, again until it is answered, and not after", async () => {
    const db = await open();
    const { dial, clock, link } = world(db);
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "queued");
    const agent = dial(hostId);
    await agent.hello();
    const runs = () => agent.said.filter((message) => message.type === "command.run").length;
    expect(runs()).toBe(1);
    clock.advance(30_000);
    await link.settled();
    expect(runs()).toBe(2);
    await db.updateTable("jobs").set({ accepted_at: 1 }).where("id", "=", id).execute();
    clock.advance(30_000);
    await link.settled();
    expect(runs()).toBe(2);
  });

  test("jobs the agent came back without are lost only after all it had to say is committed", async () => {
    const db = await open();
    const lost: string[] = [];
    const { dial } = world(db, {
      finishLost: async (_trx, jobs) => void lost.push(...jobs.map((job) => job.jobId)),
    });
    const hostId = await addHost(db);
    const id = await addJob(db, hostId, "running", {
      sent_at: 1,
      sent_epoch: EPOCH as never,
      accepted_at: 1,
    });
    const agent = dial(hostId);
    await agent.hello({ outbox: { lowest: 1, highest: 2 } });
    await agent.durable(1);
    expect(lost).toEqual([]);
    await agent.durable(2);
    expect(lost).toEqual([id]);
  });

  test("stopping tells every agent that the server restarts", async () => {
    const db = await open();
    const { dial, link } = world(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    await link.stop();
    expect(agent.closed()).toBe(CLOSE.restarting);
  });

  test("an agent that ignores its window is cut off before it fills the memory", async () => {
    const db = await open();
    const { dial, link } = world(db);
    const agent: { connection: Connection; hello: () => Promise<void>; closed: () => number | undefined } =
      dial(await addHost(db));
    await agent.hello();
    for (let seq = 1; seq <= 1_000; seq += 1) link.received(agent.connection, encodeDurable(seq, gap(seq)));
    expect(agent.closed()).toBe(CLOSE.gap);
    await link.settled();
  });
});
