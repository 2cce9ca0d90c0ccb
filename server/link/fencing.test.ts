import { expect, test } from "bun:test";
import fc from "fast-check";
import { sql } from "kysely";
import { encodeDurable } from "@restic-manager/protocol/frame";
import { joinedBuses } from "../testing/buses.ts";
import { testClock } from "../testing/clock.ts";
import { gap, linkWorld } from "../testing/link.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

/** What may happen to one agent and two servers, in any order. */
const step = fc.oneof(
  fc.record({ do: fc.constant("hello" as const), at: fc.constantFrom("a" as const, "b" as const) }),
  // Any connection that ever was may still bring frames: the network kept them.
  fc.record({ do: fc.constant("frame" as const), on: fc.nat(5), together: fc.boolean() }),
  fc.record({ do: fc.constant("cut" as const), at: fc.constantFrom("a" as const, "b" as const) }),
  fc.record({ do: fc.constant("join" as const), at: fc.constantFrom("a" as const, "b" as const) }),
  fc.record({ do: fc.constant("gone" as const), on: fc.nat(5) }),
);
const FRAMES = 40;

onEveryStore("an agent that wanders between two servers", (open, kind) => {
  test("has each of its frames applied once and in order, whoever still holds an old connection", async () => {
    const db = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const clock = testClock();
        const errors: unknown[] = [];
        const applied: number[] = [];
        const buses = joinedBuses(["a", "b"], (error) => errors.push(error));
        const time = () => sql<number>`cast(${clock.now()} as double precision)`;
        const serve = (node: "a" | "b") =>
          linkWorld(db, {
            clock,
            bus: buses.bus(node),
            nodes: { node, alone: false, live: () => ["a", "b"], time },
            apply: async (_trx, _from, { message }) => {
              if (message.type === "log.gap") applied.push(message.first_line);
            },
          });
        const servers = { a: serve("a"), b: serve("b") };
        const hostId = await addHost(db);
        const connections: { at: "a" | "b"; dialled: ReturnType<typeof servers.a.dial>; next: number }[] = [];
        const settle = () => Promise.all([servers.a.link.settled(), servers.b.link.settled()]);
        const send = (to: (typeof connections)[number]) => {
          if (to.next > FRAMES) return;
          servers[to.at].link.received(to.dialled.connection, encodeDurable(to.next, gap(to.next)));
          to.next += 1;
        };
        const hello = async (at: "a" | "b") => {
          const dialled = servers[at].dial(hostId);
          await dialled.hello({ outbox: { lowest: 1, highest: FRAMES } });
          const [first] = dialled.said;
          if (first?.type === "welcome") connections.push({ at, dialled, next: first.last_seq + 1 });
        };
        for (const one of steps) {
          if (one.do === "hello") await hello(one.at);
          else if (one.do === "cut" || one.do === "join") buses.cut(one.at, one.do === "cut");
          else {
            const connection = connections[one.on % Math.max(1, connections.length)];
            if (connection === undefined) continue;
            if (one.do === "gone") await servers[connection.at].link.closed(connection.dialled.connection);
            // Frames of two connections may be on their way into the store at once.
            else if (one.together) connections.forEach(send);
            else send(connection);
          }
          if (one.do !== "frame" || !one.together) await settle();
        }
        await settle();
        // At last it comes to one of them for good, and everything goes through.
        for (const node of ["a", "b"] as const) buses.cut(node, false);
        await hello("a");
        const last = connections.at(-1);
        while (last !== undefined && last.next <= FRAMES) {
          send(last);
          await settle();
        }
        expect(applied).toEqual(Array.from({ length: FRAMES }, (_, at) => at + 1));
        expect(errors).toEqual([]);
        await servers.a.link.stop();
        await servers.b.link.stop();
      }),
      { numRuns: kind === "sqlite" ? 40 : 15, seed: 3 },
    );
  }, 120_000);
});
