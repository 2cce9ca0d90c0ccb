import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { JobId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { AgentBench } from "./agent-bench.ts";
import { enrolledAt, startAgent } from "./agent-program.ts";
import { figure, median, type Figure } from "./figure.ts";
import { startHub, type Hub } from "./hub.ts";
import { writeManyFiles } from "./many-files.ts";
import { cpuSecondsOf, memoryOf } from "./process-figures.ts";

const FILES = 100_000;
const PAIRS = 7;
const PASSWORD = "bench";
/** An agent whose work is done has made itself small by then. */
const AFTERWARDS_MS = 10_000;

/** Pairs are taken for so long; on a machine that is too busy for all of them nothing is judged. */
const PAIRS_MS = 240_000;

/** Seconds that one backup took, on the clock and of CPU. */
interface Cost {
  wall: number;
  cpu: number;
  /** The part of `cpu` that was not restic's. */
  own: number;
}

/** A way to back up the source, into a repository of its own. */
interface Side {
  repository: string;
  cache: string;
  backUp(): Promise<Cost>;
}

/**
 * What the agent adds to a backup of many small files: the same backup by plain restic and by the agent, in turn, first into an
 * empty repository and then again with nothing changed. What the agent does afterwards (it tells the server what the repository
 * holds) is counted by itself.
 */
export async function measureBackups(bench: AgentBench): Promise<Figure[]> {
  const files = bench.quick ? FILES / 20 : FILES;
  const pairs = bench.quick ? 1 : PAIRS;
  bench.say(`added cost of backing up ${files} files, ${pairs} pairs…`);
  const home = join(bench.folder, "backups");
  const source = join(home, "source");
  writeManyFiles(source, files);
  const template = join(home, "template");
  await restic(bench, template, join(home, "template-cache"), "init");

  const plain = plainSide(bench, home, source);
  const repository = join(home, "agent-repository");
  const hub = startHub({
    version: 1,
    host_name: "bench",
    repository: { url: repository, repository_password: PASSWORD },
    bandwidth: {},
  });
  const agentHome = join(home, "agent");
  enrolledAt(hub.url, agentHome, bench.restic);
  const connected = hub.nextHello();
  const program = startAgent(bench.agent, agentHome);
  try {
    await Promise.race([connected, program.exited]);
    await program.mustRun();
    const reports: number[] = [];
    const agent = agentSide(hub, program.pid, source, { repository, home: agentHome, reports });
    const first: [Cost, Cost][] = [];
    const again: [Cost, Cost][] = [];
    // The first round only warms up what both sides read.
    const late = performance.now() + PAIRS_MS;
    for (let round = -1; round < pairs && performance.now() < late; round++) {
      const order = round % 2 === 0 ? [plain, agent] : [agent, plain];
      const costs = new Map<Side, [Cost, Cost]>();
      for (const side of order) {
        rmSync(side.cache, { recursive: true, force: true });
        rmSync(side.repository, { recursive: true, force: true });
        cpSync(template, side.repository, { recursive: true });
        costs.set(side, [await side.backUp(), await side.backUp()]);
      }
      const [ours, theirs] = [costs.get(agent), costs.get(plain)];
      if (round < 0 || ours === undefined || theirs === undefined) continue;
      first.push([ours[0], theirs[0]]);
      again.push([ours[1], theirs[1]]);
      bench.say(`  pair ${round + 1}: ${ours.map(words).join(", ")} (plain ${theirs.map(words).join(", ")})`);
    }
    await Bun.sleep(bench.quick ? AFTERWARDS_MS / 2 : AFTERWARDS_MS);
    const afterwards = { value: memoryOf(program.pid).resident, unit: "MB" as const };
    return [
      figure("agent.memory_after_backups", afterwards, { most: 40, of: "value" }),
      ...compare("agent.backup_first", first, pairs),
      ...compare("agent.backup_unchanged", again, pairs),
      figure("agent.report_after_backup.cpu", { value: median(reports), unit: "s" }),
    ];
  } finally {
    await program.stop();
    await hub.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

const words = ({ wall, cpu }: Cost) => `${wall.toFixed(2)} s wall ${cpu.toFixed(2)} s CPU`;

/** @param wanted with fewer pairs than this the figures are told and not judged. */
function compare(name: string, pairs: [Cost, Cost][], wanted: number): Figure[] {
  const own = { value: median(pairs.map(([ours]) => ours.own)), unit: "s" as const };
  const compared = (["wall", "cpu"] as const).map((what) =>
    figure(
      `${name}.${what}`,
      {
        value: median(pairs.map(([ours]) => ours[what])),
        unit: "s",
        baseline: median(pairs.map(([, theirs]) => theirs[what])),
        ratio: median(pairs.map(([ours, theirs]) => ours[what] / theirs[what])),
      },
      pairs.length < wanted ? undefined : { most: what === "wall" ? 1.03 : 1.05, of: "ratio" },
    ),
  );
  return [...compared, figure(`${name}.cpu_of_agent_itself`, own)];
}

/** restic as a person types it. */
function plainSide(bench: AgentBench, home: string, source: string): Side {
  const repository = join(home, "plain-repository");
  const cache = join(home, "plain-cache");
  const argv = ["backup", "--host=bench", "--tag=bench", source];
  return { repository, cache, backUp: () => restic(bench, repository, cache, ...argv) };
}

async function restic(
  bench: AgentBench,
  repository: string,
  cache: string,
  ...args: string[]
): Promise<Cost> {
  const env = { RESTIC_REPOSITORY: repository, RESTIC_CACHE_DIR: cache, RESTIC_PASSWORD: PASSWORD };
  const began = performance.now();
  const child = Bun.spawn([bench.restic, ...args], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await child.exited) !== 0) throw new Error(`restic ${args[0]} ended with ${child.exitCode}`);
  const wall = (performance.now() - began) / 1_000;
  return { wall, cpu: Number(child.resourceUsage()?.cpuTime.total ?? Number.NaN) / 1e6, own: 0 };
}

/** The same by a command on the agent's link, from the moment it is said until the job is reported as finished. */
function agentSide(
  hub: Hub,
  pid: number,
  source: string,
  { repository, home, reports }: { repository: string; home: string; reports: number[] },
): Side {
  let jobs = 0;
  return {
    repository,
    cache: join(home, "state/cache"),
    async backUp() {
      const id = JobId.parse(`01JD${String(++jobs).padStart(22, "0")}`);
      const finished = hub.next((said) =>
        said.type === "message" && said.message.type === "job.finished" && said.message.job_id === id
          ? said.message.outcome
          : undefined,
      );
      const reported = hub.next((said) =>
        said.type === "message" && said.message.type === "repo.stats" ? true : undefined,
      );
      const cpuBefore = cpuSecondsOf(pid);
      const began = performance.now();
      const input = {
        source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
        source_group_name: "bench",
        includes: [source],
        excludes: [],
      };
      const created_at = new Date().toISOString();
      hub.say({ type: "command.run", job_id: id, kind: "backup", input, actor_kind: "user", created_at });
      const { found: outcome, at } = await finished;
      const cpuAfter = cpuSecondsOf(pid);
      const own = cpuAfter.own - cpuBefore.own;
      const cpu = own + cpuAfter.children - cpuBefore.children;
      if (outcome.state !== "succeeded")
        throw new Error(`the agent's backup ended as ${JSON.stringify(outcome)}`);
      await reported;
      const cpuReported = cpuSecondsOf(pid);
      reports.push(cpuReported.own + cpuReported.children - cpuAfter.own - cpuAfter.children);
      return { wall: (at - began) / 1_000, cpu, own };
    },
  };
}
