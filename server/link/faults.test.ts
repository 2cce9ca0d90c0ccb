import { expect, test } from "bun:test";
import { CLOSE } from "@restic-manager/protocol/close";
import { encodeDurable } from "@restic-manager/protocol/frame";
import type { JobId } from "@restic-manager/protocol/ids";
import { sql } from "kysely";
import { isStoreTrouble } from "../platform/db/errors.ts";
import { addHost, addJob, newJobId } from "../testing/rows.ts";
import { EPOCH, gap, linkWorld } from "../testing/link.ts";
import { onEveryStore } from "../testing/stores.ts";

const OTHER_EPOCH = "f".repeat(32);

onEveryStore("the link when something goes wrong", (open) => {
  test("a frame nested too deeply to be written is kept aside and does not end the server", async () => {
    const db = await open();
    const { dial, applied, errors } = linkWorld(db, {
      apply: async (_trx, _from, durable) => {
        if (durable.type === "message") JSON.stringify(durable.message);
        applied.push(durable.type === "message" ? 1 : 0);
      },
      isStoreTrouble,
    });
    const agent = dial(await addHost(db));
    await agent.hello();
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const finished = {
      type: "job.finished",
      job_id: newJobId(),
      kind: "init",
      started_at: null,
      finished_at: "2026-11-21T12:00:00.000Z",
      outcome: { state: "cancelled" },
      log_lines: 0,
      recreate: { input: { a: "deep" }, actor_kind: "user", created_at: "2026-11-21T12:00:00.000Z" },
    };
    await agent.send(JSON.stringify({ type: "durable", seq: 1, message: finished }).replace('"deep"', deep));
    await agent.durable(2);
    expect(agent.acks()).toEqual([1, 2]);
    expect(applied).toEqual([1]);
    const kept = await db.selectFrom("rejected_frames").selectAll().execute();
    expect(kept.map((row) => row.seq)).toEqual([1]);
    expect(errors).toEqual([]);
  });

  test("a reason with a NUL in it can be kept on every store", async () => {
    const db = await open();
    const { dial, errors } = linkWorld(db, {
      apply: async () => {
        throw new Error("no\0thing");
      },
    });
    const agent = dial(await addHost(db));
    await agent.hello();
    await agent.durable(1);
    expect(agent.acks()).toEqual([1]);
    expect(errors).toEqual([]);
  });

  test("a frame that can be neither applied nor kept closes its connection, and nothing takes its place", async () => {
    const db = await open();
    const { dial, link, errors } = linkWorld(db, { isStoreTrouble: () => false });
    const hostId = await addHost(db);
    const agent = dial(hostId);
    await agent.hello();
    await sql`drop table rejected_frames`.execute(db);
    link.received(agent.connection, `{"type":"durable","seq":1,"message":{"type":"nope"}}`);
    link.received(agent.connection, encodeDurable(2, gap(2)));
    await link.settled();
    expect(agent.acks()).toEqual([]);
    expect(agent.closed()).toBe(CLOSE.store);
    expect(errors).toHaveLength(1);
    const [known] = await db.selectFrom("link_epochs").select("last_seq").execute();
    expect(known?.last_seq).toBe(0);
  });

  test("an agent gone mad leaves at most 200 rejected frames", async () => {
    const db = await open();
    const { dial, link, clock } = linkWorld(db);
    const agent = dial(await addHost(db));
    await agent.hello();
    for (let seq = 1; seq <= 230; seq += 1) {
      clock.advance(7_000);
      link.received(agent.connection, `{"type":"durable","seq":${seq},"message":{"type":"nope"}}`);
    }
    await link.settled();
    expect(agent.acks().at(-1)).toBe(230);
    expect(await db.selectFrom("rejected_frames").select("seq").execute()).toHaveLength(200);
  });

  test("a store that is stuck does not gather the whole fleet's windows in memory", async () => {
    const db = await open();
    let stuck = true;
    const { dial, link } = linkWorld(db, {
      mostWaitingBytes: 1_000,
      apply: async () => {
        if (stuck) throw new Error("no space");
      },
      isStoreTrouble: () => true,
    });
    const [one, two] = [dial(await addHost(db)), dial(await addHost(db))];
    await one.hello();
    await two.hello();
    for (let seq = 1; seq <= 20; seq += 1) link.received(one.connection, encodeDurable(seq, gap(seq)));
    link.received(two.connection, encodeDurable(1, gap(1)));
    expect(one.closed()).toBe(CLOSE.store);
    expect(two.closed()).toBe(CLOSE.store);
    stuck = false;
    await link.stop();
  });

  test("a host whose connection broke while its hello was written down is not shown as connected", async () => {
    const db = await open();
    const hostId = await addHost(db, { online: 0 });
    const { dial, link } = linkWorld(db);
    const agent = dial(hostId);
    const greeting = agent.hello();
    const closing = link.closed(agent.connection);
    await Promise.all([greeting, closing]);
    await link.settled();
    const [host] = await db.selectFrom("hosts").select("online").execute();
    expect(host?.online).toBe(0);
  });

  test("a host whose newer connection broke before its hello was answered is not shown as connected", async () => {
    const db = await open();
    const { dial, link } = linkWorld(db, {
      arrived: async () => {
        if (breaks) throw new Error("broken");
      },
    });
    let breaks = false;
    const hostId = await addHost(db);
    const [older, newer] = [dial(hostId), dial(hostId)];
    await older.hello();
    breaks = true;
    await newer.hello();
    await link.closed(older.connection);
    await link.closed(newer.connection);
    const [host] = await db.selectFrom("hosts").select("online").execute();
    expect(host?.online).toBe(0);
  });

  test("a host whose end could not be written down is found offline later", async () => {
    const db = await open();
    let full = false;
    const { dial, link, clock } = linkWorld(db, {
      refreshHosts: async () => {
        if (full) throw new Error("no space");
      },
    });
    const agent = dial(await addHost(db));
    await agent.hello();
    full = true;
    await link.closed(agent.connection).catch(() => {});
    full = false;
    clock.advance(5 * 60_000);
    await link.settled();
    const [host] = await db.selectFrom("hosts").select("online").execute();
    expect(host?.online).toBe(0);
  });

  test("a reconnect in the middle of a delivery still gets every waiting job at once", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const { dial, link, bus } = linkWorld(db);
    const older = dial(hostId);
    await older.hello();
    const jobId = await addJob(db, hostId, "queued", { kind: "init" });
    bus.publish("job.queued", { jobId, hostId });
    const newer = dial(hostId);
    await newer.hello();
    await link.settled();
    expect(newer.said.some((message) => message.type === "command.run")).toBe(true);
  });

  test("a job is never marked as sent to a life of the agent that is over", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const { dial, link, bus } = linkWorld(db);
    const older = dial(hostId);
    await older.hello();
    const jobId = await addJob(db, hostId, "queued", { kind: "init" });
    bus.publish("job.queued", { jobId, hostId });
    const newer = dial(hostId);
    await newer.hello({ epoch: OTHER_EPOCH });
    await link.settled();
    const [job] = await db.selectFrom("jobs").select(["sent_epoch", "state"]).execute();
    expect(job).toMatchObject({ sent_epoch: OTHER_EPOCH, state: "queued" });
  });

  test("credentials that cannot be opened keep no outcome from coming in", async () => {
    const db = await open();
    const hostId = await addHost(db, { config_version: 3 });
    const { dial, applied, errors } = linkWorld(db, {
      configFor: async () => {
        throw new Error("the secret was changed");
      },
    });
    const agent = dial(hostId);
    await agent.hello();
    await agent.durable(1);
    expect(applied).toEqual([1]);
    expect(agent.closed()).toBeUndefined();
    expect(errors.length).toBeGreaterThan(0);
  });

  test("the newest configuration is the last that arrives", async () => {
    const db = await open();
    const hostId = await addHost(db, { config_version: 2 });
    const reads: (() => void)[] = [];
    const { dial, link, bus } = linkWorld(db, {
      configFor: async () => {
        const [host] = await db.selectFrom("hosts").select("config_version").execute();
        const version = host?.config_version ?? 0;
        if (version === 3) await new Promise<void>((resolve) => reads.push(resolve));
        return { version, host_name: "a", repository: null, bandwidth: {} };
      },
    });
    const agent = dial(hostId);
    await agent.hello();
    const change = async (version: number) => {
      await db.updateTable("hosts").set({ config_version: version }).execute();
      bus.publish("config.changed", { hostId });
    };
    await change(3);
    while (reads.length === 0)
      await Promise.resolve().then(() => db.selectFrom("hosts").select("id").execute());
    await change(4);
    await db.selectFrom("hosts").select("id").execute();
    for (const go of reads) go();
    await link.settled();
    const sent = agent.said.flatMap((said) => (said.type === "config.update" ? [said.config.version] : []));
    expect(sent).toEqual([2, 3, 4]);
  });

  test("an agent with a new state is asked for everything, until it has answered on a connection that holds", async () => {
    const db = await open();
    const hostId = await addHost(db, { epoch: null });
    const { dial, link } = linkWorld(db);
    const next = (said: { type: string; next?: string }[]) =>
      said.find((one) => one.type === "welcome")?.next;
    const first = dial(hostId);
    await first.hello();
    expect(next(first.said)).toBe("continue");
    const second = dial(hostId);
    await second.hello({ epoch: OTHER_EPOCH });
    expect(next(second.said)).toBe("resync");
    await link.closed(second.connection);
    const third = dial(hostId);
    await third.hello({ epoch: OTHER_EPOCH });
    expect(next(third.said)).toBe("resync");
    await third.durable(1);
    const fourth = dial(hostId);
    await fourth.hello({ epoch: OTHER_EPOCH, outbox: { lowest: 2, highest: 1 } });
    expect(next(fourth.said)).toBe("continue");
    expect(EPOCH).not.toBe(OTHER_EPOCH);
  });

  test("lost jobs that could not be finished are tried again", async () => {
    const db = await open();
    const hostId = await addHost(db);
    const lost: JobId[] = [];
    let refuse = true;
    const { dial, link, clock } = linkWorld(db, {
      finishLost: async (_trx, jobs) => {
        if (refuse) throw new Error("no space");
        lost.push(...jobs.map((job) => job.jobId));
      },
    });
    const id = await addJob(db, hostId, "running", {
      sent_at: 1,
      sent_epoch: EPOCH as never,
      accepted_at: 1,
    });
    const agent = dial(hostId);
    await agent.hello({ outbox: { lowest: 1, highest: 1 } });
    await agent.durable(1);
    expect(lost).toEqual([]);
    refuse = false;
    clock.advance(30_000);
    await link.settled();
    expect(lost).toEqual([id]);
  });
});
