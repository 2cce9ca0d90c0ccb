import { afterEach, expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { encodeDurable } from "@restic-manager/protocol/frame";
import { runs } from "@restic-manager/protocol/testing/hostile";
import fc from "fast-check";
import { readLog } from "../jobs/log-reader.ts";
import { openDatabase, type OpenStore } from "../platform/db/open.ts";
import { onEveryDatabase } from "../testing/databases.ts";
import { dial, hostileSteps, misbehave } from "../testing/hostile-agent.ts";
import { gap, linkWorld } from "../testing/link.ts";
import { addHost, addJob, newJobId } from "../testing/rows.ts";
import { startTestServer, type TestServer } from "../testing/server.ts";

/** As many as `rejected_frames` holds of one host. */
const MOST_REJECTED = 200;

onEveryDatabase("whatever comes over the link", (open, kind) => {
  const servers: TestServer[] = [];
  const stores: OpenStore[] = [];
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    for (const server of servers.splice(0)) await server.stop();
  });

  /** A whole server with a good agent on it. */
  async function world() {
    const server = await startTestServer({ databaseUrl: await open() });
    servers.push(server);
    const { core, db } = server.parts;
    const { link } = core;
    const good = dial(link, await addHost(db));
    good.hello();
    await link.settled();
    let seq = 0;
    const goodIsServed = async (): Promise<void> => {
      seq += 1;
      link.received(good.connection, encodeDurable(seq, gap(seq)));
      await link.settled();
      expect(good.code()).toBeUndefined();
      expect(good.said.at(-1)).toEqual({ type: "ack", seq });
      good.said.length = 0;
    };
    return { server, link, db, goodIsServed };
  }
  const errorLines = (server: TestServer) => server.lines.filter((text) => /^\S+ error /.test(text));

  test(
    "nothing throws, nothing stays behind, and the next agent is served",
    async () => {
      const { server, link, db, goodIsServed } = await world();
      const jobId = newJobId();
      let former: Awaited<ReturnType<typeof addHost>> | undefined;
      await fc.assert(
        fc.asyncProperty(hostileSteps(jobId), async (steps) => {
          if (former !== undefined) await db.deleteFrom("jobs").where("host_id", "=", former).execute();
          await db.deleteFrom("jobs").where("id", "=", jobId).execute();
          const hostId = await addHost(db);
          former = hostId;
          await addJob(db, hostId, "running", { id: jobId });
          const used = await misbehave(link, hostId, steps);
          expect(used.map((connection) => connection.waiting)).toEqual(used.map(() => 0));
          expect(link.hub.current(hostId)).toBeUndefined();
          const kept = await db
            .selectFrom("rejected_frames")
            .select(["reason", "body"])
            .where("host_id", "=", hostId)
            .execute();
          expect(kept.length).toBeLessThanOrEqual(MOST_REJECTED);
          for (const { reason, body } of kept)
            expect([reason.length <= 4_096, body.length <= 65_536]).toEqual([true, true]);
          const log = await readLog(db, jobId, 0, 1_000);
          expect(log?.lines.length).toBeLessThanOrEqual(1_000);
          await goodIsServed();
          expect(errorLines(server)).toEqual([]);
          expect(Reflect.get({}, "polluted")).toBeUndefined();
        }),
        runs(kind === "sqlite" ? 150 : 40),
      );
    },
    { timeout: 600_000 },
  );

  if (kind === "sqlite")
    test(
      "the heap does not grow with what came",
      async () => {
        const { server, link, db, goodIsServed } = await world();
        const jobId = newJobId();
        const hostId = await addHost(db);
        await addJob(db, hostId, "running", { id: jobId });
        const rounds = fc.sample(hostileSteps(jobId), {
          seed: 3,
          numRuns: 60,
        });
        const all = async () => {
          for (const steps of rounds) await misbehave(link, hostId, steps);
          await goodIsServed();
          server.lines.length = 0;
          server.clock.advance(1_000);
          await link.settled();
          Bun.gc(true);
          return heapStats();
        };
        // Twice, until everything that is made once is there.
        await all();
        const before = await all();
        for (let i = 0; i < 4; i += 1) await all();
        const after = await all();
        // Four times 60 rounds, each with several connections and a dozen frames: one object kept of each would be many hundreds.
        expect(after.objectCount - before.objectCount).toBeLessThan(600);
        expect(after.heapSize - before.heapSize).toBeLessThan(2_000_000);
      },
      { timeout: 600_000 },
    );

  test("no byte of what came counts as waiting for the store afterwards", async () => {
    const store = await openDatabase(await open());
    stores.push(store);
    const { db } = store;
    const { link } = linkWorld(db, { mostWaitingBytes: 30_000 });
    const hostId = await addHost(db);
    const rounds = fc.sample(hostileSteps(newJobId()), { seed: 7, numRuns: 150 });
    for (const steps of rounds) await misbehave(link, hostId, steps);
    const good = dial(link, await addHost(db));
    good.hello();
    await link.settled();
    link.received(good.connection, encodeDurable(1, gap(1)));
    await link.settled();
    expect(good.code()).toBeUndefined();
    expect(good.said.at(-1)).toEqual({ type: "ack", seq: 1 });
  }, 120_000);
});
