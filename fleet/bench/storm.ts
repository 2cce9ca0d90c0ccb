import { join } from "node:path";
import { FleetSummary } from "@restic-manager/protocol/api/fleet";
import { startAgents, type Agents } from "../agents.ts";
import { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";
import { moment } from "../simulated/moment.ts";
import { INSTANT } from "../simulated/script.ts";
import { startBareHub } from "./bare-hub.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, median, type Figure } from "./figure.ts";

const AGENTS = 10_000;
const ROUNDS = 5;
const SEED = 1;
/** Between two requests for the host page. */
const PROBE_MS = 20;
/** What a restarted server does at first is its own affair. */
const SETTLE_MS = 1_000;

/**
 * Every agent connects at the same moment to a server that was killed and started again: until each is reconciled, which the server
 * says with its welcome once the hello is committed. Meanwhile a person looks at a host's page.
 */
export async function benchStorm({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? AGENTS / 5 : AGENTS;
  const rounds = quick ? 1 : ROUNDS;
  return await inBenchFolder(async (folder) => {
    const server = await FleetServer.start({ folder: join(folder, "server"), hosts: count, seed: SEED });
    const agents = await startAgents({ port: server.port, count, seed: SEED, script: INSTANT, processes: 2 });
    const storms: { wall: number; bare: number; page: number; failures: number }[] = [];
    try {
      say(`  ${count} agents connect for the first time…`);
      await agents.connect({ withinMs: 120_000 });
      for (let round = 1; round <= rounds; round += 1) {
        const before = (await agents.look()).counters;
        const { wall, page } = await stormOn(server, agents);
        const after = (await agents.look()).counters;
        const failures = after.attempts - before.attempts - count + (count - after.connected);
        const bare = await stormOnBareHub(agents, folder);
        await agents.aim(server.port);
        storms.push({ wall, bare, page, failures });
        say(
          `  storm ${round}: ${wall.toFixed(2)} s (bare hub ${bare.toFixed(2)} s), slowest page ${page.toFixed(0)} ms, ${failures} failures`,
        );
      }
    } finally {
      await agents.kill();
      await server.stop();
    }
    return [
      figure(
        "storm.wall",
        {
          value: median(storms.map(({ wall }) => wall)),
          unit: "s",
          baseline: median(storms.map(({ bare }) => bare)),
          ratio: median(storms.map(({ wall, bare }) => wall / bare)),
        },
        { most: 3, of: "ratio" },
      ),
      figure(
        "storm.failures",
        { value: Math.max(...storms.map(({ failures }) => failures)), unit: "connections" },
        { most: 0, of: "value" },
      ),
      figure(
        "storm.host_page_slowest",
        { value: Math.max(...storms.map(({ page }) => page)), unit: "ms" },
        { most: 200, of: "value" },
      ),
    ];
  });
}

async function stormOn(server: FleetServer, agents: Agents): Promise<{ wall: number; page: number }> {
  await agents.disconnect();
  await server.kill();
  await server.start();
  await Bun.sleep(SETTLE_MS);
  const probing = new AbortController();
  const pages = probeHostPage(server, probing.signal);
  const began = moment();
  const { at } = await agents.connect({ withinMs: 120_000 });
  probing.abort();
  const page = await pages;
  const { online, hosts } = await server.call("/api/fleet/summary", FleetSummary);
  if (online !== hosts) throw new Error(`of ${hosts} hosts the server shows ${online} as connected`);
  return { wall: (at - began) / 1_000, page };
}

async function stormOnBareHub(agents: Agents, folder: string): Promise<number> {
  const hub = await startBareHub({ folder });
  try {
    await agents.disconnect();
    await agents.aim(hub.port);
    await Bun.sleep(SETTLE_MS);
    const began = moment();
    const { at } = await agents.connect({ withinMs: 120_000 });
    return (at - began) / 1_000;
  } finally {
    await agents.disconnect();
    await hub.stop();
  }
}

/** Asks for all that a host's page shows, again and again; answers the milliseconds of the slowest. */
async function probeHostPage(server: FleetServer, signal: AbortSignal): Promise<number> {
  const { hostId } = identityOf(SEED, 0);
  const paths = [
    `/api/hosts/${hostId}`,
    `/api/hosts/${hostId}/source-groups`,
    `/api/hosts/${hostId}/snapshots`,
    `/api/jobs?host_id=${hostId}&limit=10`,
  ];
  let slowest = 0;
  do {
    const began = performance.now();
    await Promise.all(
      paths.map(async (path) => {
        const response = await server.ask(path);
        await response.arrayBuffer();
        if (!response.ok) throw new Error(`${path} answered ${response.status} in a storm`);
      }),
    );
    slowest = Math.max(slowest, performance.now() - began);
    await Bun.sleep(PROBE_MS);
  } while (!signal.aborted);
  return slowest;
}
