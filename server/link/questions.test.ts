import { expect, test } from "bun:test";
import { sql } from "kysely";
import { ResticId } from "@restic-manager/protocol/ids";
import type { TreeQuestion } from "@restic-manager/protocol/tree";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Database } from "../platform/db/schema.ts";
import { joinedBuses } from "../testing/buses.ts";
import { testClock } from "../testing/clock.ts";
import { linkWorld } from "../testing/link.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

const QUESTION = {
  type: "tree.list" as const,
  snapshot_id: ResticId.parse("a".repeat(64)),
  path: "/",
  from: 0,
  limit: 10,
};
const PAGE = { entries: [], total: 0, next: null, indexed: true };

async function twoServers(db: Database) {
  const clock = testClock();
  const errors: unknown[] = [];
  const buses = joinedBuses(["a", "b"], (error) => errors.push(error));
  const live = () => ["a", "b"];
  const time = () => sql<number>`cast(${clock.now()} as double precision)`;
  const serve = (node: string) =>
    linkWorld(db, { clock, bus: buses.bus(node), nodes: { node, alone: false, live, time } });
  const hostId = await addHost(db, { online: 0 });
  for (const node of live())
    await db
      .insertInto("nodes")
      .values({ id: node, name: node, started_at: 0, expires_at: clock.now() + 3600_000 })
      .execute();
  return { a: serve("a"), b: serve("b"), clock, buses, hostId, errors };
}

type Agent = ReturnType<ReturnType<typeof linkWorld>["dial"]>;
const asked = ({ said }: Agent): TreeQuestion[] =>
  said.flatMap((message) => (message.type === "tree.list" ? [message] : []));
const answer = (agent: Agent, request_id: string) =>
  agent.send(JSON.stringify({ type: "tree.list.result", request_id, page: PAGE }));
/** Lets what was asked of the store and of other servers get on its way. */
async function reached(agent: Agent): Promise<TreeQuestion> {
  for (;;) {
    const question = asked(agent).at(-1);
    if (question !== undefined) return question;
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

onEveryStore("a question to an agent", (open) => {
  test("is answered by the agent here, or through the server that has it", async () => {
    const { a, b, hostId, errors } = await twoServers(await open());
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    for (const { link } of [b, a]) {
      const answered = link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 });
      agent.said.splice(0, 1);
      const { request_id, deadline_ms } = await reached(agent);
      expect(deadline_ms).toBe(5_000);
      agent.said.length = 0;
      await answer(agent, request_id);
      expect(await answered).toEqual({
        ok: true,
        answer: { type: "tree.list.result", request_id, page: PAGE },
      });
    }
    expect([...a.errors, ...b.errors, ...errors]).toEqual([]);
  });

  test("of a machine that is away, or leaves before it answers, ends at once", async () => {
    const { a, b, hostId } = await twoServers(await open());
    const offline = { ok: false as const, why: "host_offline" as const };
    expect(await a.link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 })).toEqual(offline);
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    for (const { link } of [b, a]) {
      const again = b.dial(hostId);
      await again.hello({ protocol_version: BROWSING_SINCE });
      const answered = link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 });
      await reached(again);
      await b.link.closed(again.connection);
      expect(await answered).toEqual(offline);
    }
  });

  test("is not put to an agent that would not understand it", async () => {
    const { a, b, hostId } = await twoServers(await open());
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE - 1 });
    for (const { link } of [b, a])
      expect(await link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 })).toEqual({
        ok: false,
        why: "agent_outdated",
      });
    expect(asked(agent)).toEqual([]);
  });

  test("ends by itself when no answer comes, and the agent hears when nobody waits any more", async () => {
    const { a, b, clock, hostId } = await twoServers(await open());
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    const silent = b.link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 });
    clock.advance(7_000);
    expect(await silent).toEqual({ ok: false, why: "timed_out" });
    for (const { link } of [b, a]) {
      agent.said.length = 0;
      const viewer = new AbortController();
      const left = link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000, cancel: viewer.signal });
      const { request_id } = await reached(agent);
      viewer.abort();
      expect(await left).toEqual({ ok: false, why: "cancelled" });
      await Promise.all([a.link.settled(), b.link.settled()]);
      expect(agent.said).toContainEqual({ type: "tree.cancel", request_id });
    }
  });

  test("is answered by nobody but the machine that was asked", async () => {
    const db = await open();
    const { b, hostId } = await twoServers(db);
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    const other = b.dial(await addHost(db));
    await other.hello({ protocol_version: BROWSING_SINCE, machine_id: "m2" });
    const answered = b.link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 });
    const { request_id } = await reached(agent);
    const forged = { ...PAGE, total: 666 };
    await other.send(JSON.stringify({ type: "tree.list.result", request_id, page: forged }));
    await answer(agent, request_id);
    expect(await answered).toMatchObject({ ok: true, answer: { page: PAGE } });
  });

  test("that the bus brings twice is put to the agent once", async () => {
    const { b, buses, hostId } = await twoServers(await open());
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    const question = { ...QUESTION, request_id: "q1", deadline_ms: 5_000 };
    for (let n = 0; n < 2; n += 1)
      await buses.bus("a").request("b", "link.ask", { hostId, from: "a", question });
    await b.link.settled();
    expect(asked(agent)).toEqual([question]);
  });

  test("is turned away where the machine is asked enough already, on either server", async () => {
    const { a, b, clock, hostId } = await twoServers(await open());
    const agent = b.dial(hostId);
    await agent.hello({ protocol_version: BROWSING_SINCE });
    const silent = Array.from({ length: 16 }, () =>
      b.link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 }),
    );
    for (const { link } of [b, a])
      expect(await link.questions.ask(hostId, QUESTION, { deadlineMs: 5_000 })).toEqual({
        ok: false,
        why: "agent_busy",
      });
    clock.advance(10_000);
    expect(new Set((await Promise.all(silent)).map((answered) => JSON.stringify(answered)))).toEqual(
      new Set([JSON.stringify({ ok: false, why: "timed_out" })]),
    );
    expect(b.link.questions.open).toBe(0);
  });
});
