import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { JobId } from "@restic-manager/protocol/ids";
import { readLog } from "@restic-manager/server/jobs/log-reader";
import { World, worldTemplate } from "./link-world.ts";

let folder: string;
let template: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "rm-link-"));
  template = await worldTemplate(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Step =
  | {
      do:
        | "create"
        | "talk"
        | "answer"
        | "cut"
        | "crash agent"
        | "crash server"
        | "begin"
        | "remember"
        | "go back";
    }
  | { do: "cancel" | "log" | "wait"; n: number }
  | { do: "up" | "down"; n: number; twice: boolean }
  | { do: "finish"; how: "succeeded" | "failed" };

const few = fc.integer({ min: 1, max: 4 });
const usual: fc.WeightedArbitrary<Step>[] = [
  { weight: 4, arbitrary: fc.constant({ do: "create" as const }) },
  // Most of the time things go well: without this, few stories come far enough for a break to matter.
  { weight: 8, arbitrary: fc.constant({ do: "talk" as const }) },
  { weight: 4, arbitrary: fc.constant({ do: "answer" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "cut" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "crash agent" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "crash server" as const }) },
  { weight: 5, arbitrary: fc.constant({ do: "begin" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), n: few }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("log" as const), n: fc.integer({ min: 1, max: 600 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("wait" as const), n: fc.integer({ min: 100, max: 100_000 }) }),
  },
  { weight: 9, arbitrary: fc.record({ do: fc.constant("up" as const), n: few, twice: fc.boolean() }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constant("down" as const), n: few, twice: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("finish" as const),
      how: fc.constantFrom("succeeded" as const, "failed" as const),
    }),
  },
];
const amnesia: fc.WeightedArbitrary<Step>[] = [
  { weight: 2, arbitrary: fc.constant({ do: "remember" as const }) },
  { weight: 2, arbitrary: fc.constant({ do: "go back" as const }) },
];

async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case "create":
      return await world.createJob();
    case "talk":
      return await world.talk();
    case "answer":
      return await world.answer();
    case "cut":
      return await world.cut();
    case "crash agent":
      return await world.crashAgent();
    case "crash server":
      return await world.crashServer();
    case "begin":
      return world.agent.begin();
    case "remember":
      return world.agent.remember();
    case "go back":
      return await world.rewindAgent();
    case "cancel":
      return await world.cancelJob(step.n);
    case "log":
      return world.agent.log(step.n);
    case "wait":
      return await world.pass(step.n);
    case "up":
      return await world.up(step.n, step.twice);
    case "down":
      return await world.down(step.n, step.twice);
    case "finish":
      return world.agent.finish(step.how);
  }
}

/** Runs the steps, lets everything come to rest, and hands the world to the checks. */
async function live(steps: Step[], check: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open(template);
  try {
    for (const step of steps) await take(world, step);
    await world.calm();
    expect(world.errors).toEqual([]);
    await check(world);
  } finally {
    await world.close();
  }
}

async function everyJobHasOneOutcome(world: World): Promise<void> {
  const jobs = await world.db.selectFrom("jobs").selectAll().execute();
  expect(jobs.map((job) => job.id).toSorted()).toEqual(world.jobs.toSorted());
  for (const job of jobs) expect(["succeeded", "failed", "cancelled"]).toContain(job.state);
}

function nothingRanTwice(world: World): void {
  for (const [id, runs] of world.agent.truth.runs) expect({ id, runs }).toEqual({ id, runs: 1 });
}

async function outcomesAgree(world: World): Promise<void> {
  const jobs = await world.db.selectFrom("jobs").select(["id", "state", "error"]).execute();
  const told = new Map(jobs.map((job) => [job.id, job]));
  for (const id of world.agent.truth.runs.keys()) {
    expect(told.get(id)?.error ?? "").not.toContain("agent_lost_job");
    expect(told.get(id)?.error ?? "").not.toContain("agent_state_lost");
  }
  const rejected = await world.db.selectFrom("rejected_frames").selectAll().execute();
  expect(rejected).toEqual([]);
}

async function logIsWhole(world: World, id: JobId): Promise<void> {
  const written = world.agent.truth.lines.get(id) ?? 0;
  const lines: string[] = [];
  for (;;) {
    const page = await readLog(world.db, id, lines.length, 1_000);
    expect(page?.gaps).toEqual([]);
    if (page === undefined || page.lines.length === 0) break;
    for (const line of page.lines) {
      expect(line.n).toBe(lines.length);
      lines.push(line.text);
    }
  }
  expect(lines).toEqual(Array.from({ length: written }, (_, n) => `line ${n}`));
}

test("whatever the network and crashes do, every job ends once, runs at most once, and its log is whole", async () => {
  const steps = fc.array(fc.oneof(...usual), { minLength: 5, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, (story) =>
      live(story, async (world) => {
        await everyJobHasOneOutcome(world);
        nothingRanTwice(world);
        await outcomesAgree(world);
        for (const id of world.jobs) await logIsWhole(world, id);
      }),
    ),
    { numRuns: 150 },
  );
}, 120_000);

test("also an agent that lost its memory or went back in time leaves no job without an outcome", async () => {
  const steps = fc.array(fc.oneof(...usual, ...amnesia), { minLength: 5, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, (story) => live(story, everyJobHasOneOutcome)),
    { numRuns: 100 },
  );
}, 120_000);
