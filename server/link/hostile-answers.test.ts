import { expect } from "bun:test";
import { test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mutated, runs } from "@restic-manager/protocol/testing/hostile";
import { TreeAnswer } from "@restic-manager/protocol/tree";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import fc from "fast-check";
import { joinedBuses } from "../testing/buses.ts";
import { testClock } from "../testing/clock.ts";
import { linkWorld } from "../testing/link.ts";
import { addHost } from "../testing/rows.ts";
import { onEveryStore } from "../testing/stores.ts";
import type { Question } from "./questions.ts";

const recorded = (() => {
  const folder = join(import.meta.dirname, "../../protocol/golden/v3");
  return readdirSync(folder)
    .filter((name) => name.startsWith("agent.tree."))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as { request_id: string });
})();
const RECORDED_ID = recorded[0]?.request_id ?? "";
const QUESTION: Question = { type: "tree.versions", path: "/a" };
const DEADLINE = 5_000;
/** In a stranger's answers alone: nothing recorded has it, and no change of what was recorded makes it. */
const STRANGE = "f".repeat(64);

function strangersAnswer(request_id: string): string {
  const version = { snapshot_id: STRANGE, type: "file", size: 0, mode: 0, mtime_ms: 0, uid: 0, gid: 0 };
  const answer = { type: "tree.versions.result", request_id, versions: [version], truncated: false };
  TreeAnswer.parse(answer);
  return JSON.stringify(answer);
}

type Step =
  | { do: "ask" }
  | { do: "say"; to: number; text: string }
  | { do: "leave"; who: number }
  | { do: "redial" }
  | { do: "wait"; ms: number };

const whole = fc.constantFrom(...recorded);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ do: "ask" as const }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("say" as const),
      to: fc.nat(20),
      text: fc.oneof(
        mutated(whole),
        whole.map((message) => JSON.stringify(message)),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), who: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ do: "redial" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4_000) }) },
);

onEveryStore("whatever an agent answers", (open, kind) => {
  test("every question ends once, with an answer of its own shape, and nothing of it is kept", async () => {
    const db = await open();
    const clock = testClock();
    const errors: unknown[] = [];
    const buses = joinedBuses(["a"], (error) => errors.push(error));
    const { link, dial } = linkWorld(db, { clock, bus: buses.bus("a") });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const hostId = await addHost(db);
        const other = dial(await addHost(db));
        await other.hello({ protocol_version: BROWSING_SINCE });
        let agent = dial(hostId);
        await agent.hello({ protocol_version: BROWSING_SINCE });
        const ids: string[] = [];
        const leaving: AbortController[] = [];
        const asked: ReturnType<typeof link.questions.ask>[] = [];
        const gather = () => {
          for (const message of agent.said.splice(0))
            if (message.type === "tree.versions") ids.push(message.request_id);
        };
        for (const one of steps) {
          if (one.do === "ask") {
            const cancel = new AbortController();
            leaving.push(cancel);
            asked.push(link.questions.ask(hostId, QUESTION, { deadlineMs: DEADLINE, cancel: cancel.signal }));
            gather();
          } else if (one.do === "say") {
            const id = ids[one.to % Math.max(1, ids.length)] ?? "none";
            const text = one.text.replaceAll(RECORDED_ID, id);
            // A stranger's answer to the same question comes first, and must not count.
            await other.send(strangersAnswer(id));
            await agent.send(text);
          } else if (one.do === "leave") leaving[one.who % Math.max(1, leaving.length)]?.abort();
          else if (one.do === "wait") clock.advance(one.ms);
          else {
            await link.closed(agent.connection);
            agent = dial(hostId);
            await agent.hello({ protocol_version: BROWSING_SINCE });
          }
        }
        clock.advance(DEADLINE + 10_000);
        for (const answered of await Promise.all(asked)) {
          if (!answered.ok) continue;
          expect(TreeAnswer.parse(answered.answer)).toEqual(answered.answer);
          expect(ids).toContain(answered.answer.request_id);
          expect(JSON.stringify(answered.answer)).not.toContain(STRANGE);
        }
        expect(link.questions.open).toBe(0);
        for (const { connection } of [agent, other]) await link.closed(connection);
      }),
      runs(kind === "sqlite" ? 120 : 20),
    );
    expect(errors).toEqual([]);
  }, 120_000);
});
