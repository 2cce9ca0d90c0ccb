import { describe, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { appendFileSync } from "node:fs";
import { runChaos, type ChaosOptions, type Summary } from "../fleet/chaos/run.ts";

/** A fleet that is broken in every way, for a while: issue 3, section 3. `script/chaos` does it for as long as one likes. */

const rounds = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
const said: string[] = [];
const play = async (options: Omit<ChaosOptions, "say">): Promise<Summary> => {
  said.length = 0;
  return await runChaos({ ...options, say: (line) => void said.push(line) });
};

function mustHold({ failure }: Summary): void {
  if (failure === undefined) return;
  const { plan, wrong, folder } = failure;
  throw new Error([`did not hold: ${plan}`, ...wrong, `what is left lies in ${folder}`].join("\n"));
}

test("20 rounds of everything that can go wrong, on SQLite: all holds", async () => {
  const summary = await play({ store: "sqlite", seed: 20, rounds: rounds(20) });
  mustHold(summary);
  expect(summary.rounds).toBe(20);
  expect(summary.actions.size).toBeGreaterThan(10);
}, 400_000);

test("rounds on PostgreSQL, with restarts of it: all holds", async () => {
  const summary = await play({ store: "postgres", seed: 5, rounds: rounds(6), scripted: 3, real: 1 });
  mustHold(summary);
}, 200_000);

describe("a defect is found", () => {
  const small = { store: "sqlite", seed: 9, scripted: 1, real: 0 } as const;

  test("a log line that vanishes from the store, a snapshot that is not listed, a second run of restic", async () => {
    const { failure } = await play({
      ...small,
      rounds: [4],
      async tamper(world) {
        await world.store(async (db) => {
          await db.deleteFrom("log_chunks").execute();
          await db.deleteFrom("snapshots").execute();
        });
        const [host] = world.hosts;
        const run = host?.runs.look().findLast(({ marker }) => marker !== undefined);
        const again = { event: "start", pid: 1, argv: run?.args.split(" ") ?? [], environment: [] };
        appendFileSync(join(host?.folder ?? "", "restic/runs.log"), `${JSON.stringify(again)}\n`);
      },
    });
    try {
      expect(failure).toMatchObject({ round: 4, plan: expect.stringContaining("round 4: ") });
      const wrong = failure?.wrong.join("\n") ?? "";
      expect(wrong).toContain("restic ran twice for order");
      expect(wrong).toMatch(/the log of job .* lacks \d+ lines and says 0 are missing/);
      expect(wrong).toContain("is in the repository and not listed");
      expect(existsSync(join(failure?.folder ?? "", "server.log"))).toBe(true);
    } finally {
      if (failure !== undefined) rmSync(failure.folder, { recursive: true, force: true });
    }
  }, 120_000);

  test("a repository's password in the agent's state", async () => {
    const { failure } = await play({
      ...small,
      rounds: rounds(1),
      async tamper({ hosts }) {
        const [host] = hosts;
        const leak = `the password is ${host?.repository.repositoryPassword}\n`;
        appendFileSync(join(host?.agent.stateDir ?? "", "notes"), leak);
      },
    });
    try {
      expect(failure?.wrong).toEqual([
        expect.stringMatching(/^repository password of h0 stands in .*\/notes$/),
      ]);
    } finally {
      if (failure !== undefined) rmSync(failure.folder, { recursive: true, force: true });
    }
  }, 120_000);
});
