import { expect, test } from "bun:test";
import { ACTION_KINDS, describePlan, planRound, type ActionKind, type Cast } from "./plan.ts";

const cast: Cast = { scripted: 4, real: 2, onSmallDisk: [0, 2], can: new Set(ACTION_KINDS) };

test("the same seed, round and cast give the same plan, whatever was planned before", () => {
  const first = planRound(7, 12, cast);
  planRound(7, 11, cast);
  planRound(8, 12, cast);
  expect(planRound(7, 12, cast)).toEqual(first);
  expect(describePlan(planRound(7, 12, cast))).toBe(describePlan(first));
});

test("another seed or another round gives another plan", () => {
  const texts = new Set<string>();
  for (let seed = 0; seed < 20; seed += 1)
    for (let round = 0; round < 20; round += 1)
      texts.add(describePlan(planRound(seed, round, cast)).replace(/^.*?:/, ""));
  expect(texts.size).toBe(400);
});

test("within a few hundred rounds everything is done, and only what can be done, to those it can be done to", () => {
  const can = new Set<ActionKind>(ACTION_KINDS.filter((kind) => kind !== "restart_bus"));
  const done = new Set<ActionKind>();
  for (let round = 1; round <= 300; round += 1) {
    const { actions, dispatches } = planRound(1, round, { ...cast, can });
    expect(dispatches.length).toBeGreaterThan(0);
    for (const action of actions) {
      done.add(action.do);
      if ("host" in action && action.host !== "server") expect(action.host).toBeWithin(0, 6);
      if (action.do === "fill_outbox") expect([0, 2]).toContain(action.host);
      if (action.do === "revoke") expect(action.host).toBeLessThan(4);
    }
  }
  expect([...done].toSorted()).toEqual([...can].toSorted());
});

test("a plan in one line says what happens when and to whom", () => {
  expect(
    describePlan({
      seed: 1,
      round: 3,
      lines: 40,
      release: 0,
      dispatches: [{ at: 5, host: 1 }],
      actions: [
        { do: "cut_mid_frame", at: 7, host: 2, towards: "server" },
        { do: "slow_fsync", at: 8, host: "server", for: 9, ms: 20 },
      ],
    }),
  ).toBe(
    "round 3: 40 lines, no wait; backups h1@5; cut_mid_frame@7(h2 towards=server), slow_fsync@8(server for=9 ms=20)",
  );
});
