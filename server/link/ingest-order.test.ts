import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeDurable } from "@restic-manager/protocol/frame";
import { JobId, type HostId } from "@restic-manager/protocol/ids";
import { encodeLogChunk } from "@restic-manager/protocol/log-chunk";
import { gap, linkWorld } from "../testing/link.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";

const JOB = JobId.parse("01JD0000000000000000000000");

onEveryStore("frames of many agents that arrive together", (open) => {
  test("are applied in each agent's order, whatever of them are logs, and logs of all agents together", async () => {
    const db = await open();
    const hosts: HostId[] = [];
    for (let n = 0; n < 4; n += 1) hosts.push(await addHost(db));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.constantFrom("message" as const, "log" as const), { maxLength: 12 }), {
          minLength: 4,
          maxLength: 4,
        }),
        async (rows) => {
          const applied = new Map<HostId, number[]>();
          const note = (hostId: HostId, seq: number) =>
            applied.set(hostId, [...(applied.get(hostId) ?? []), seq]);
          let together = 0;
          const { link, dial } = linkWorld(db, {
            apply: async (_trx, { hostId }, { message }) => {
              if (message.type === "log.gap") note(hostId, message.first_line);
            },
            applyLogs: async (_trx, logs) => {
              together += 1;
              for (const { hostId, header } of logs) note(hostId, header.first_line);
            },
          });
          const agents = hosts.map((hostId) => dial(hostId));
          // A life of their own in each run: the store remembers how far the last one came.
          const epoch = crypto.randomUUID().replaceAll("-", "");
          for (const agent of agents) await agent.hello({ epoch });
          for (let at = 0; at < 12; at += 1)
            for (const [n, agent] of agents.entries()) {
              const kind = rows[n]?.[at];
              if (kind === undefined) continue;
              const seq = at + 1;
              const frame =
                kind === "message"
                  ? encodeDurable(seq, gap(seq))
                  : encodeLogChunk(
                      { seq, job_id: JOB, first_line: seq, count: 1, raw_size: 1 },
                      new Uint8Array([1]),
                    );
              link.received(agent.connection, frame);
            }
          await link.settled();
          for (const [n, hostId] of hosts.entries())
            expect(applied.get(hostId) ?? []).toEqual((rows[n] ?? []).map((_, at) => at + 1));
          // As often as one agent's logs are interrupted by messages, and not once for each agent.
          const runs = rows.map(
            (row) => row.filter((kind, at) => kind === "log" && row[at - 1] !== "log").length,
          );
          expect(together).toBeLessThanOrEqual(Math.max(...runs));
          await link.stop();
        },
      ),
      { numRuns: 25 },
    );
  });
});
