import { expect, test } from "bun:test";
import type { HostId } from "@restic-manager/protocol/ids";
import { HELLO_DEADLINE_MS } from "@restic-manager/protocol/limits";
import { CLOSE } from "@restic-manager/protocol/close";
import { EPOCH, linkWorld as world } from "../testing/link.ts";
import { addHost, addJob, newHostId } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import { Bearers } from "./bearers.ts";

const helloOf = (change: Record<string, unknown> = {}) =>
  JSON.stringify({
    type: "hello",
    protocol_version: 1,
    machine_id: "m1",
    epoch: EPOCH,
    outbox: { lowest: 1, highest: 0 },
    jobs: [],
    ...change,
  });

onEveryStore("hellos that arrive together", (open) => {
  test("are one transaction, and each is answered for itself", async () => {
    const db = await open();
    const transactions = new Set<unknown>();
    const asked: HostId[] = [];
    const { dial, link, errors } = world(db, {
      arrived: async (trx, hostIds) => {
        transactions.add(trx);
        asked.push(...hostIds);
      },
    });
    const hosts = await Promise.all(Array.from({ length: 40 }, () => addHost(db, { machine_id: "old" })));
    const agents = hosts.map((host) => dial(host));
    for (const [at, { connection }] of agents.entries())
      link.received(
        connection,
        helloOf({ machine_id: `m${at}`, outbox: { lowest: at + 1, highest: at + 5 } }),
      );
    await link.settled();
    expect(transactions.size).toBe(1);
    expect(asked.toSorted()).toEqual(hosts.toSorted());
    for (const [at, { said }] of agents.entries())
      expect(said).toMatchObject([{ type: "welcome", last_seq: at, next: at === 0 ? "continue" : "resync" }]);
    const rows = await db.selectFrom("hosts").select(["id", "machine_id", "online"]).execute();
    const written = new Map(rows.map((row) => [row.id, row]));
    for (const [at, host] of hosts.entries())
      expect(written.get(host)).toMatchObject({ machine_id: `m${at}`, online: 1 });
    expect(errors).toEqual([]);
  });

  test("a removed host, one from the past and a new one among them are told so, and the rest is not held up", async () => {
    const db = await open();
    const { dial, link } = world(db);
    const [known, past] = [await addHost(db), await addHost(db)];
    const first = dial(past);
    await first.hello({ outbox: { lowest: 1, highest: 3 } });
    for (const seq of [1, 2, 3]) await first.durable(seq);
    const agents = [dial(known), dial(newHostId()), dial(past)];
    for (const { connection } of agents) link.received(connection, helloOf());
    await link.settled();
    expect(agents[0]?.said).toMatchObject([{ type: "welcome", next: "continue" }]);
    expect(agents[1]?.closed()).toBe(CLOSE.revoked);
    expect(agents[2]?.said).toMatchObject([{ type: "welcome", next: "new_epoch", last_seq: 3 }]);
  });

  test("one that cannot be written down spoils no other", async () => {
    const db = await open();
    const bad = await addHost(db);
    const { dial, link, errors } = world(db, {
      arrived: async (_trx, hostIds) => {
        if (hostIds.includes(bad)) throw new Error("a defect");
      },
    });
    const agents = [dial(await addHost(db)), dial(bad), dial(await addHost(db))];
    for (const { connection } of agents) link.received(connection, helloOf());
    await link.settled();
    expect(agents.map((agent) => agent.said.at(-1)?.type)).toEqual(["welcome", undefined, "welcome"]);
    expect(agents[1]?.closed()).toBe(CLOSE.store);
    expect(errors).toHaveLength(1);
  });

  test("of two of the same host only the newer is taken", async () => {
    const db = await open();
    const { dial, link } = world(db);
    const host = await addHost(db);
    const [older, newer] = [dial(host), dial(host)];
    link.received(older.connection, helloOf());
    link.received(newer.connection, helloOf());
    await link.settled();
    expect(older.closed()).toBe(CLOSE.replaced);
    expect(older.said).toEqual([]);
    expect(newer.said).toMatchObject([{ type: "welcome" }]);
    expect((await db.selectFrom("hosts").selectAll().execute())[0]?.online).toBe(1);
  });

  test("a job that is queued while the hello is being written down goes out right after the welcome", async () => {
    const db = await open();
    const host = await addHost(db, { online: 0 });
    const { dial, bus } = world(db, {
      // The last thing of the transaction, after its hosts' jobs were looked at.
      async refreshHosts(trx, hostIds) {
        if (hostIds.length === 0) return;
        const jobId = await addJob(trx, host, "queued", { kind: "init" });
        bus.publish("job.queued", { hostId: host, jobId });
      },
    });
    const agent = dial(host);
    await agent.hello();
    expect(agent.said.map(({ type }) => type)).toEqual(["welcome", "command.run"]);
  });
});

onEveryStore("whoever says no hello", (open) => {
  test("is closed when its own time is over, not when another's is", async () => {
    const db = await open();
    const { dial, clock } = world(db);
    const [first, greeted] = [dial(await addHost(db)), dial(await addHost(db))];
    await greeted.hello();
    clock.advance(HELLO_DEADLINE_MS / 2);
    const second = dial(await addHost(db));
    clock.advance(HELLO_DEADLINE_MS / 2);
    expect([first.closed(), second.closed()]).toEqual([CLOSE.hello_late, undefined]);
    clock.advance(HELLO_DEADLINE_MS / 2);
    expect([second.closed(), greeted.closed()]).toEqual([CLOSE.hello_late, undefined]);
  });
});

onEveryStore("bearers", (open) => {
  test("asked for together are each found, and one that is not known is not", async () => {
    const db = await open();
    const hosts = await Promise.all(
      Array.from({ length: 90 }, (_, at) => addHost(db, { bearer_hash: `hash ${at}` })),
    );
    const bearers = new Bearers(db);
    const asked = hosts.map((_, at) => bearers.hostOf(`hash ${at}`));
    expect(await bearers.hostOf("nobody's")).toBeUndefined();
    expect(await Promise.all(asked)).toEqual(hosts);
    await db.deleteFrom("hosts").where("bearer_hash", "=", "hash 7").execute();
    expect(await bearers.hostOf("hash 7")).toBeUndefined();
  });
});
