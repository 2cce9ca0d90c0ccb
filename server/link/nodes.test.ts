import { expect, test } from "bun:test";
import { sql } from "kysely";
import { CLOSE } from "@restic-manager/protocol/close";
import { OFFLINE_AFTER_MS } from "@restic-manager/protocol/limits";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { joinedBuses } from "../testing/buses.ts";
import { testClock } from "../testing/clock.ts";
import { linkWorld } from "../testing/link.ts";
import { addHost, addJob, newJobId } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

/** Two servers on one store, whose buses and life the test holds. */
async function twoServers(db: Database) {
  const clock = testClock();
  const errors: unknown[] = [];
  const buses = joinedBuses(["a", "b"], (error) => errors.push(error));
  const live = new Set(["a", "b"]);
  const time = () => sql<number>`cast(${clock.now()} as double precision)`;
  const serve = (node: string) =>
    linkWorld(db, {
      clock,
      bus: buses.bus(node),
      nodes: { node, alone: false, live: () => [...live], time },
    });
  const [a, b] = [serve("a"), serve("b")];
  for (const node of live) await beat(db, node, clock.now() + 3600_000);
  const settled = async () => {
    // What one does may give the other something to do.
    for (let i = 0; i < 3; i += 1) for (const { link } of [a, b]) await link.settled();
  };
  return { a, b, clock, buses, live, settled, errors: () => [...errors, ...a.errors, ...b.errors] };
}
const hostRow = (db: Database, id: HostId) =>
  db.selectFrom("hosts").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
const beat = (db: Database, node: string, expires_at: number) =>
  db
    .insertInto("nodes")
    .values({ id: node, name: node, started_at: 0, expires_at })
    .onConflict((c) => c.column("id").doUpdateSet({ expires_at }))
    .execute();

onEveryStore("two servers on one store", (open) => {
  test("an agent that comes to the other one is that one's, and the first lets go of it", async () => {
    const db = await open();
    const { a, b, settled, errors } = await twoServers(db);
    const hostId = await addHost(db);
    const [older, newer] = [a.dial(hostId), b.dial(hostId)];
    await older.hello();
    await older.durable(1);
    await newer.hello({ outbox: { lowest: 2, highest: 1 } });
    await settled();
    expect(older.closed()).toBe(CLOSE.replaced);
    await a.link.closed(older.connection);
    expect(await hostRow(db, hostId)).toMatchObject({ online: 1, link_node: "b" });
    expect(newer.said[0]).toMatchObject({ type: "welcome", last_seq: 1 });
    await newer.durable(2);
    expect([a.applied, b.applied]).toEqual([[1], [2]]);
    expect(errors()).toEqual([]);
  });

  test("frames of a half-open connection that the first still has are not applied", async () => {
    const db = await open();
    const { a, b, buses } = await twoServers(db);
    const hostId = await addHost(db);
    const [older, newer] = [a.dial(hostId), b.dial(hostId)];
    await older.hello();
    // Nobody can tell a.
    buses.cut("a", true);
    await newer.hello();
    await older.durable(1);
    expect(a.applied).toEqual([]);
    expect(older.acks()).toEqual([]);
    expect(older.closed()).not.toBeUndefined();
    await newer.durable(1);
    expect(b.applied).toEqual([1]);
  });

  test("a server that has not the agent says whether what waits may need a turn on the repository", async () => {
    const db = await open();
    const { a, b, settled } = await twoServers(db);
    const hostId = await addHost(db, { repository_id: "a".repeat(64) });
    const agent = b.dial(hostId);
    await agent.hello();
    const prune = await addJob(db, hostId, "queued", { kind: "prune" });
    const backup = await addJob(db, hostId, "queued");
    const ordered = () =>
      agent.said.flatMap((message) => (message.type === "command.run" ? [message.job_id] : []));
    a.bus.publish("job.queued", { jobId: backup, hostId, kind: "backup" });
    await settled();
    expect(ordered()).toEqual([backup]);
    a.bus.publish("job.queued", { jobId: prune, hostId, kind: "prune" });
    await settled();
    expect(ordered()).toEqual([backup, prune]);
  });

  test("a half-open connection is given no commands, and the host's end there is not the host's end", async () => {
    const db = await open();
    const { a, b, buses, clock, settled } = await twoServers(db);
    const hostId = await addHost(db);
    const [older, newer] = [a.dial(hostId), b.dial(hostId)];
    await older.hello();
    buses.cut("a", true);
    await newer.hello();
    const jobId = await addJob(db, hostId, "queued");
    a.bus.publish("job.queued", { jobId, hostId });
    await settled();
    expect(older.said.filter((message) => message.type === "command.run")).toEqual([]);
    clock.advance(30_000);
    await settled();
    expect(newer.said.filter((message) => message.type === "command.run")).toHaveLength(1);
    const beating = JSON.stringify({ type: "heartbeat", at: new Date(clock.now()).toISOString() });
    for (let i = 0; i < 12; i += 1) {
      clock.advance(10_000);
      await newer.send(beating);
    }
    expect(older.closed()).not.toBeUndefined();
    await a.link.closed(older.connection);
    expect(await hostRow(db, hostId)).toMatchObject({ online: 1, link_node: "b" });
  });

  test("a server that missed that an agent went elsewhere lets go of it once it hears the others again", async () => {
    const db = await open();
    const { a, b, buses, settled } = await twoServers(db);
    const hostId = await addHost(db);
    const [older, newer] = [a.dial(hostId), b.dial(hostId)];
    await older.hello();
    buses.cut("a", true);
    await newer.hello();
    expect(older.closed()).toBeUndefined();
    buses.cut("a", false);
    await settled();
    expect(older.closed()).toBe(CLOSE.replaced);
    expect(newer.closed()).toBeUndefined();
  });

  test("a command that is given at one server goes to the agent at the other, at once and once", async () => {
    const db = await open();
    const { a, b, settled } = await twoServers(db);
    const hostId = await addHost(db);
    const agent = a.dial(hostId);
    await agent.hello();
    const jobId = await addJob(db, hostId, "queued");
    b.bus.publish("job.queued", { jobId, hostId });
    a.bus.publish("job.queued", { jobId, hostId });
    await settled();
    expect(agent.said.filter((message) => message.type === "command.run")).toHaveLength(1);
    b.bus.publish("job.cancel", { jobId, hostId, now: true });
    await settled();
    expect(agent.said.at(-1)).toMatchObject({ type: "command.cancel", job_id: jobId, now: true });
  });

  test("of two servers that deliver one job at once only one marks it", async () => {
    const db = await open();
    const { a, b, settled } = await twoServers(db);
    const hosts = await Promise.all(Array.from({ length: 20 }, () => addHost(db)));
    const agents = hosts.map((hostId) => ({ hostId, at: [a.dial(hostId), b.dial(hostId)] as const }));
    for (const { at } of agents) {
      await at[0].hello();
      await at[1].hello();
    }
    for (const hostId of hosts) {
      const jobId = await addJob(db, hostId, "queued");
      a.bus.publish("job.queued", { jobId, hostId });
      b.bus.publish("job.queued", { jobId, hostId });
    }
    await settled();
    for (const { at } of agents) {
      const runs = at.flatMap((agent) => agent.said.filter((message) => message.type === "command.run"));
      expect(runs).toHaveLength(1);
    }
  });

  test("a job for a host at a server that has just come, and is on no list yet, is delivered at once", async () => {
    const db = await open();
    const { a, b, live, settled, errors } = await twoServers(db);
    live.delete("b");
    const hostId = await addHost(db);
    const agent = b.dial(hostId);
    await agent.hello();
    const jobId = await addJob(db, hostId, "queued");
    a.bus.publish("job.queued", { jobId, hostId });
    await settled();
    expect(agent.said.filter((message) => message.type === "command.run")).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  test("a job for a host whose server is dead waits for the agent to come to another", async () => {
    const db = await open();
    const { a, b, live, buses, settled, errors } = await twoServers(db);
    const hostId = await addHost(db);
    await a.dial(hostId).hello();
    live.delete("a");
    buses.cut("a", true);
    const jobId = await addJob(db, hostId, "queued");
    b.bus.publish("job.queued", { jobId, hostId });
    await settled();
    const agent = b.dial(hostId);
    await agent.hello();
    expect(agent.said.filter((message) => message.type === "command.run")).toHaveLength(1);
    expect(errors()).toEqual([]);
  });

  test("a clone at the other server is refused while the first machine's server lives", async () => {
    const db = await open();
    const { a, b, live } = await twoServers(db);
    const hostId = await addHost(db);
    const first = a.dial(hostId);
    await first.hello();
    const clone = b.dial(hostId);
    await clone.hello({ machine_id: "m2", hostname: "copy" });
    expect(clone.closed()).toBe(CLOSE.clone);
    await b.link.closed(clone.connection);
    await first.durable(1);
    expect(a.applied).toEqual([1]);
    const row = await hostRow(db, hostId);
    expect(row).toMatchObject({ online: 1, link_node: "a", machine_id: "m1" });
    expect(row.link_problem).toContain("copy");
    live.delete("a");
    const moved = b.dial(hostId);
    await moved.hello({ machine_id: "m2" });
    expect(moved.closed()).toBeUndefined();
  });

  test("each server judges its own hosts, and those of a server that is dead for longer than agents need", async () => {
    const db = await open();
    const { a, b, clock, settled } = await twoServers(db);
    const [atA, atB] = [await addHost(db), await addHost(db)];
    await a.dial(atA).hello();
    await b.dial(atB).hello();
    await beat(db, "b", clock.now() + 6_000);
    a.link.judgeAbsent();
    await settled();
    expect([(await hostRow(db, atA)).online, (await hostRow(db, atB)).online]).toEqual([1, 1]);
    // b is dead from now on, and its hosts come to nobody. The agent at a is heard all the time.
    const alive = a.link.hub.current(atA);
    for (let i = 0; i < 9; i += 1) {
      clock.advance(OFFLINE_AFTER_MS / 8);
      alive?.heard(clock);
    }
    a.link.judgeAbsent();
    await settled();
    expect((await hostRow(db, atA)).online).toBe(1);
    expect((await hostRow(db, atB)).online).toBe(0);
  });

  test("a server that others took for dead brings its hosts back", async () => {
    const db = await open();
    const { a, settled } = await twoServers(db);
    const hostId = await addHost(db);
    await a.dial(hostId).hello();
    await db.updateTable("hosts").set({ online: 0 }).where("id", "=", hostId).execute();
    a.bus.publish("bus.resync", {});
    await settled();
    expect((await hostRow(db, hostId)).online).toBe(1);
  });

  test("a host that was removed at the other server is refused, also when that was not heard", async () => {
    const db = await open();
    const { a, b, buses, settled } = await twoServers(db);
    const [heard, missed] = [await addHost(db), await addHost(db)];
    const [first, second] = [a.dial(heard), a.dial(missed)];
    await first.hello();
    await second.hello();
    b.bus.publish("host.removed", { hostId: heard });
    expect(first.closed()).toBe(CLOSE.revoked);
    buses.cut("a", true);
    await db.deleteFrom("link_epochs").where("host_id", "=", missed).execute();
    await db.deleteFrom("hosts").where("id", "=", missed).execute();
    buses.cut("a", false);
    await settled();
    expect(second.closed()).toBe(CLOSE.revoked);
  });

  test("a server that leaves sends its agents away without calling them offline, and takes no new ones", async () => {
    const db = await open();
    const { a } = await twoServers(db);
    const hostId = await addHost(db);
    const agent = a.dial(hostId);
    await agent.hello();
    await a.link.drain();
    expect(agent.closed()).toBe(CLOSE.restarting);
    await a.link.closed(agent.connection);
    expect((await hostRow(db, hostId)).online).toBe(1);
    expect(a.dial(hostId).closed()).toBe(CLOSE.restarting);
    await a.link.stop();
  });

  test("jobs it was told of that are gone by then are no trouble", async () => {
    const db = await open();
    const { a, b, settled, errors } = await twoServers(db);
    const hostId = await addHost(db);
    await a.dial(hostId).hello();
    b.bus.publish("job.queued", { jobId: newJobId(), hostId });
    await settled();
    expect(errors()).toEqual([]);
  });
});
