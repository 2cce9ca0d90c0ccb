import { Database } from "bun:sqlite";
import { join } from "node:path";
import { CreatedJob, RanHosts } from "@restic-manager/protocol/api/jobs";
import { startAgents, type Agents } from "../agents.ts";
import { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";
import { moment } from "../simulated/moment.ts";
import { seeded } from "../simulated/random.ts";
import { INSTANT } from "../simulated/script.ts";
import { startBareHub } from "./bare-hub.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, median, type Figure } from "./figure.ts";
import { cpuSecondsOf } from "./process-figures.ts";
import { runCommand } from "./run-command.ts";

const AGENTS = 10_000;
const REQUESTS = 400;
const WARM_UP = 50;
const ROUNDS = 3;
const SEED = 7;
/** Nothing here takes so long unless something is stuck. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 25;
/** Requests come no closer than this: a hub that answers at once would only fill the queues of the agents, whose work is the same. */
const PACE_MS = 12;
/** What everybody does who has just connected is not what is measured. */
const SETTLE_MS = 1_000;

interface Round {
  /** Milliseconds from the request to the moment when restic would be spawned, each. */
  ours: number[];
  bare: number[];
  /** Seconds from the bulk request until the last job was accepted, and until the last was over. */
  accepted: number;
  over: number;
  /** Milliseconds of the server's CPU for each job of the bulk, from the request to its outcome. */
  cpuPerJob: number;
}

/**
 * Run-now while 10,000 agents are connected: from the request to restic's spawn at the agent, beside a hub that passes the command on
 * to the same agents and knows nothing. Then one request that backs up all of them.
 */
export async function benchDispatch({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? AGENTS / 5 : AGENTS;
  const requests = quick ? REQUESTS / 4 : REQUESTS;
  return await inBenchFolder(async (folder) => {
    const server = await FleetServer.start({ folder: join(folder, "server"), hosts: count, seed: SEED });
    const agents = await startAgents({ port: server.port, count, seed: SEED, script: INSTANT, processes: 2 });
    const rounds: Round[] = [];
    try {
      await agents.connect({ withinMs: PATIENCE_MS });
      await Bun.sleep(SETTLE_MS);
      await singles(server, agents, picks(count, 0, WARM_UP));
      for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
        const machines = picks(count, round, requests);
        const ours = await singles(server, agents, machines);
        const { accepted, over, cpuPerJob } = await bulk(server, agents, count);
        const bare = await onBareHub(agents, folder, picks(count, -round, WARM_UP), machines);
        await agents.aim(server.port);
        await agents.connect({ withinMs: PATIENCE_MS });
        await settled(agents);
        await Bun.sleep(SETTLE_MS);
        rounds.push({ ours, bare, accepted, over, cpuPerJob });
        say(
          `  round ${round}: p50 ${quantile(ours, 0.5).toFixed(1)} ms, p99 ${quantile(ours, 0.99).toFixed(1)} ms ` +
            `(bare ${quantile(bare, 0.5).toFixed(1)} and ${quantile(bare, 0.99).toFixed(1)} ms); ` +
            `${count} at once: accepted in ${accepted.toFixed(2)} s, over in ${over.toFixed(2)} s, ${cpuPerJob.toFixed(2)} ms of CPU a job`,
        );
      }
    } finally {
      await agents.kill();
      await server.stop();
    }
    const of = (share: number) => ({
      value: median(rounds.map(({ ours }) => quantile(ours, share))),
      unit: "ms" as const,
      baseline: median(rounds.map(({ bare }) => quantile(bare, share))),
      ratio: median(rounds.map(({ ours, bare }) => quantile(ours, share) / quantile(bare, share))),
    });
    return [
      figure("dispatch.p50", of(0.5)),
      figure("dispatch.p99", of(0.99), { most: 15, of: "value" }),
      figure(
        "dispatch.bulk_accepted",
        { value: median(rounds.map(({ accepted }) => accepted)), unit: "s" },
        { most: 6, of: "value" },
      ),
      figure("dispatch.cpu_per_job", {
        value: median(rounds.map(({ cpuPerJob }) => cpuPerJob)),
        unit: "ms",
      }),
      figure("dispatch.bulk_over", { value: median(rounds.map(({ over }) => over)), unit: "s" }),
    ];
  });
}

/** Asks for one backup after the other, at a pace that lets each find everything at rest. */
async function singles(server: FleetServer, agents: Agents, machines: readonly number[]): Promise<number[]> {
  await agents.spawns();
  const asked = new Map<string, number>();
  for (const machine of machines) {
    const { hostId, groupId } = identityOf(SEED, machine);
    const at = moment();
    const path = `/api/hosts/${hostId}/source-groups/${groupId}/run`;
    const { job } = await server.call(path, CreatedJob, { method: "POST", body: {} });
    asked.set(job.id, at);
    await paced(at);
  }
  await settled(agents);
  return await took(agents, asked);
}

/** The same beside the bare hub. `first`: requests that do not count. */
async function onBareHub(
  agents: Agents,
  folder: string,
  first: readonly number[],
  machines: readonly number[],
): Promise<number[]> {
  const hub = await startBareHub({ folder, registry: true });
  try {
    await agents.disconnect();
    await agents.aim(hub.port);
    await agents.connect({ withinMs: PATIENCE_MS });
    await Bun.sleep(SETTLE_MS);
    const asked = new Map<string, number>();
    for (const [at, machine] of [...first, ...machines].entries()) {
      const command = runCommand(SEED, machine, at);
      const began = moment();
      await hub.say(identityOf(SEED, machine).bearer, command);
      if (at >= first.length) asked.set(command.job_id, began);
      await paced(began);
    }
    await settled(agents);
    const each = await took(agents, asked);
    await agents.disconnect();
    return each;
  } finally {
    await hub.stop();
  }
}

/** One request for all of them. Read from the store itself, beside the server: what is there is committed. */
async function bulk(
  server: FleetServer,
  agents: Agents,
  count: number,
): Promise<Pick<Round, "accepted" | "over" | "cpuPerJob">> {
  const host_ids = Array.from({ length: count }, (_, machine) => identityOf(SEED, machine).hostId);
  const store = new Database(server.databaseUrl.slice("sqlite:".length), { readonly: true });
  const countOf = (column: "accepted_at" | "finished_at") =>
    store.query<{ n: number }, []>(
      `select count(*) as n from jobs where kind = 'backup' and ${column} is not null`,
    );
  try {
    const [accepted, finished] = [countOf("accepted_at"), countOf("finished_at")];
    const before = { accepted: accepted.get()?.n ?? 0, finished: finished.get()?.n ?? 0 };
    const cpu = cpuSecondsOf(server.pid).own;
    const began = moment();
    const answer = server.call("/api/backups", RanHosts, { method: "POST", body: { host_ids } });
    await until(`${count} jobs are accepted`, () => (accepted.get()?.n ?? 0) - before.accepted >= count);
    const acceptedAt = moment();
    await until(`${count} jobs are over`, () => (finished.get()?.n ?? 0) - before.finished >= count);
    const overAt = moment();
    const refused = (await answer).items.filter(({ outcome }) => outcome === "refused").length;
    if (refused > 0) throw new Error(`${refused} of ${count} hosts were refused`);
    await settled(agents);
    return {
      accepted: (acceptedAt - began) / 1_000,
      over: (overAt - began) / 1_000,
      cpuPerJob: ((cpuSecondsOf(server.pid).own - cpu) * 1_000) / count,
    };
  } finally {
    store.close();
  }
}

/** Resolves when the next request may come after one that began at `began`, as `moment()` tells it. */
async function paced(began: number): Promise<void> {
  await Bun.sleep(Math.max(0, began + PACE_MS - moment()));
}

/** Resolves when no agent has anything that the server has not acknowledged. */
async function settled(agents: Agents): Promise<void> {
  await until("every frame is acknowledged", async () => (await agents.look()).waiting === 0);
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const late = moment() + PATIENCE_MS;
  while (!(await holds())) {
    if (moment() > late) throw new Error(`not after ${PATIENCE_MS / 1_000} s: ${what}`);
    await Bun.sleep(LOOK_MS);
  }
}

async function took(agents: Agents, asked: ReadonlyMap<string, number>): Promise<number[]> {
  const each = (await agents.spawns()).flatMap(({ jobId, at }) => {
    const from = asked.get(jobId);
    return from === undefined ? [] : [at - from];
  });
  if (each.length !== asked.size) throw new Error(`of ${asked.size} jobs ${each.length} reached restic`);
  return each;
}

function picks(count: number, round: number, requests: number): number[] {
  const random = seeded(SEED, "picks", round);
  return Array.from({ length: requests }, () => Math.floor(random() * count));
}

/** @param share 0.99 for the 99th percentile. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
