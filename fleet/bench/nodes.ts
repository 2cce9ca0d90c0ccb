import { join } from "node:path";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import { startAgents, type Agents } from "../agents.ts";
import type { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";
import { moment } from "../simulated/moment.ts";
import { INSTANT, type Script } from "../simulated/script.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, type Figure } from "./figure.ts";
import { aloneOnSqlite, manyServers, type NodesWorld } from "./nodes-world.ts";

const AGENTS = 6_000;
const SEED = 1;
const SERVERS = [1, 2, 3];
/** Runs of every machine that are counted, after one that warms up. */
const ROUNDS = 2;
/** Requests under way at once. */
const AT_ONCE = 48;
/** Pages that follow a job each, all at the first server. */
const VIEWERS = 20;
/** A short backup: what is measured is a job's way through the servers, and its log. */
const SHORT: Script = { ...INSTANT, lines: 300, durationMs: 500, reports: true };
/** One that is in the middle when a server dies. */
const LONG: Script = { ...SHORT, durationMs: 6_000 };
/** The same for few agents, whose commands are out in a moment. */
const QUICK_LONG: Script = { ...SHORT, durationMs: 2_000 };
const LOOK_MS = 50;
/** How long agents of a dead server may take to be at another, and then everything to come to an end. */
const PATIENCE_MS = 120_000;

/** Milliseconds of CPU that one job costs. */
interface Cost {
  servers: number;
  postgres: number;
  nats: number;
}

/**
 * 1, 2 and 3 servers on one PostgreSQL and one NATS. Each command is given to another server than the last, so that with three of them two
 * thirds cross to the agent's; then one server is killed in the middle of everything.
 */
export async function benchNodes({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? 150 : AGENTS;
  const rounds = quick ? 1 : ROUNDS;
  const sizes = quick ? [2] : SERVERS;
  const most = Math.max(...sizes);
  return await inBenchFolder(async (folder) => {
    const options = (name: string) => ({ folder: join(folder, name), hosts: count, seed: SEED });
    const sqlite = await inWorld(await aloneOnSqlite(options("sqlite")), count, (world, agents) =>
      costOf(world, agents, count, rounds),
    );
    say(`  1 server on SQLite: ${words(sqlite)}`);
    const figures: Figure[] = [];
    for (const servers of sizes) {
      const world = await manyServers(servers, options(`of-${servers}`));
      const { cost, loss } = await inWorld(world, count, async (_, agents) => ({
        cost: await costOf(world, agents, count, rounds),
        loss: servers === most ? await loseOne(world, agents, count, quick ? QUICK_LONG : LONG) : undefined,
      }));
      say(`  ${servers} on PostgreSQL and NATS: ${words(cost)}`);
      const name = `nodes.${servers}`;
      figures.push(
        figure(
          `${name}.cpu_per_job`,
          { value: cost.servers, unit: "ms", baseline: sqlite.servers },
          { most: 2, of: "ratio" },
        ),
        figure(`${name}.postgres_cpu_per_job`, { value: cost.postgres, unit: "ms" }),
        figure(`${name}.nats_cpu_per_job`, { value: cost.nats, unit: "ms" }),
      );
      if (loss === undefined) continue;
      say(`  one of ${servers} killed: all agents elsewhere after ${loss.movedMs.toFixed(0)} ms`);
      figures.push(
        figure(
          "nodes.loss.agents_moved",
          { value: loss.movedMs / 1_000, unit: "s" },
          { most: 10, of: "value" },
        ),
        figure(
          "nodes.loss.jobs_lost_or_doubled",
          { value: loss.wrong, unit: "jobs" },
          { most: 0, of: "value" },
        ),
      );
    }
    return figures;
  });
}

async function inWorld<T>(
  world: NodesWorld,
  count: number,
  work: (world: NodesWorld, agents: Agents) => Promise<T>,
): Promise<T> {
  const agents = await startAgents({ port: world.port, count, seed: SEED, script: SHORT, processes: 2 });
  try {
    await agents.connect({ perSecond: 1_500, withinMs: PATIENCE_MS });
    return await work(world, agents);
  } finally {
    await agents.kill();
    await world.stop();
  }
}

async function costOf(world: NodesWorld, agents: Agents, count: number, rounds: number): Promise<Cost> {
  const first = firstOf(world);
  await dispatch(world.servers, count);
  await finished(first, agents, count);
  const before = world.cpu();
  const viewers = Array.from({ length: VIEWERS }, () => new AbortController());
  for (let round = 1; round <= rounds; round += 1) {
    const jobs = await dispatch(world.servers, count);
    for (const [at, { signal }] of viewers.entries()) void follow(first, jobs[at] ?? "", signal);
    await finished(first, agents, count * (round + 1));
  }
  const after = world.cpu();
  for (const viewer of viewers) viewer.abort();
  const per = (kind: keyof Cost) => ((after[kind] - before[kind]) * 1_000) / (count * rounds);
  return { servers: per("servers"), postgres: per("postgres"), nats: per("nats") };
}

/** Kills a server that has its share of agents and of running jobs. */
async function loseOne(
  world: NodesWorld,
  agents: Agents,
  count: number,
  script: Script,
): Promise<{ movedMs: number; wrong: number }> {
  const first = firstOf(world);
  const victim = world.servers.at(-1) ?? first;
  await agents.follow(script);
  const { counters: before } = await agents.look();
  await dispatch(world.servers, count);
  const survivors = world.servers.filter((server) => server !== victim);
  const began = moment();
  await victim.kill();
  // Those of the victim have lost their connection before they can have it again.
  await until(agents, ({ losses }) => losses > before.losses);
  await until(agents, ({ connected }) => connected === count);
  const movedMs = moment() - began;
  // Commands go on meanwhile, to the servers that are left.
  await dispatch(survivors, count);
  await until(agents, ({ started }) => started >= before.started + 2 * count);
  await finished(first, agents, before.started + 2 * count);
  const { counters: after } = await agents.look();
  const doubled = after.started - before.started - 2 * count;
  return { movedMs, wrong: Math.abs(doubled) + (await withoutOneOutcome(first, count)) };
}

/** Jobs of the fleet that are not over as succeeded, and hosts that have another number of them than were started. */
async function withoutOneOutcome(server: FleetServer, count: number): Promise<number> {
  const store = await openDatabase(server.databaseUrl);
  try {
    const rows = await store.db
      .selectFrom("jobs")
      .select(["state", (e) => e.fn.countAll().as("count")])
      .where("kind", "=", "backup")
      .groupBy("state")
      .execute();
    const succeeded = Number(rows.find(({ state }) => state === "succeeded")?.count ?? 0);
    const other = rows.filter(({ state }) => state !== "succeeded");
    return other.reduce((sum, row) => sum + Number(row.count), 0) + (succeeded % count);
  } finally {
    await store.close();
  }
}

/** Starts a backup of every machine, each at the next server. Answers the jobs. */
async function dispatch(servers: FleetServer[], count: number): Promise<string[]> {
  const jobs: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const { hostId, groupId } = identityOf(SEED, at);
      const server = servers[Math.floor(at / 2) % servers.length];
      const path = `/api/hosts/${hostId}/source-groups/${groupId}/run`;
      const response = await server?.ask(path, { method: "POST", body: { bandwidth: {} } });
      if (response?.ok !== true) throw new Error(`${path} answered ${response?.status}`);
      const { job } = (await response.json()) as { job: { id: string } };
      jobs[at] = job.id;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return jobs;
}

/** Comes back when so many runs were started and nothing waits or runs, at either end. */
async function finished(server: FleetServer, agents: Agents, runs: number): Promise<void> {
  await until(agents, ({ succeeded }) => succeeded >= runs);
  const late = moment() + PATIENCE_MS;
  for (;;) {
    const { running_jobs, queued_jobs } = await server.call("/api/fleet/summary", FleetSummary);
    if (running_jobs + queued_jobs === 0 && (await agents.look()).waiting === 0) return;
    if (moment() > late) throw new Error(`${running_jobs} jobs run and ${queued_jobs} wait for ever`);
    await Bun.sleep(LOOK_MS);
  }
}

async function until(
  agents: Agents,
  reached: (counters: Awaited<ReturnType<Agents["look"]>>["counters"]) => boolean,
): Promise<void> {
  const late = moment() + PATIENCE_MS;
  for (;;) {
    const { counters, said } = await agents.look();
    if (reached(counters)) return;
    if (moment() > late) throw new Error(`${JSON.stringify(counters)} ${said.slice(-3).join("; ")}`);
    await Bun.sleep(LOOK_MS);
  }
}

async function follow(server: FleetServer, jobId: string, signal: AbortSignal): Promise<void> {
  const headers = { cookie: server.cookie };
  const response = await fetch(`${server.origin}/api/jobs/${jobId}/stream`, { headers, signal });
  for await (const _ of response.body ?? []);
}

function firstOf({ servers }: NodesWorld): FleetServer {
  const [first] = servers;
  if (first === undefined) throw new Error("there is no server");
  return first;
}

function words({ servers, postgres, nats }: Cost): string {
  return `${servers.toFixed(2)} ms of CPU a job, PostgreSQL ${postgres.toFixed(2)}, NATS ${nats.toFixed(2)}`;
}
