import { join } from "node:path";
import { HEARTBEAT_MS } from "@restic-manager/protocol/limits";
import { startAgents, type Agents } from "../agents.ts";
import { FleetServer } from "../fleet-server.ts";
import { INSTANT } from "../simulated/script.ts";
import { startBareHub } from "./bare-hub.ts";
import { inBenchFolder } from "./bench-folder.ts";
import type { BenchOptions } from "./bench.ts";
import { figure, median, type Figure } from "./figure.ts";
import { cpuSecondsOf, memoryOf } from "./process-figures.ts";

const AGENTS = 10_000;
const ROUNDS = 3;
const SEED = 2;
/** Heartbeats of each agent that are watched. */
const BEATS = 2;
/** A short run has faster heartbeats, at both ends of the comparison. */
const QUICK_HASTE = 20;

interface Footprint {
  /** MB with everybody connected, and how much more than before. */
  memory: number;
  growth: number;
  /** Seconds of CPU while nothing but heartbeats came. */
  cpu: number;
}

/** What 10,000 connected agents cost that have nothing to say but that they are there. */
export async function benchFootprint({ quick, say }: BenchOptions): Promise<Figure[]> {
  const count = quick ? AGENTS / 5 : AGENTS;
  const haste = quick ? QUICK_HASTE : 1;
  return await inBenchFolder(async (folder) => {
    const agents = await startAgents({ port: 9, count, seed: SEED, script: INSTANT, haste, processes: 2 });
    const pairs: { ours: Footprint; bare: Footprint }[] = [];
    try {
      for (let round = 1; round <= (quick ? 1 : ROUNDS); round += 1) {
        const server = await FleetServer.start({
          folder: join(folder, `server-${round}`),
          hosts: count,
          seed: SEED,
        });
        const ours = await watch(agents, server, count, haste);
        const hub = await startBareHub({ folder });
        const bare = await watch(agents, hub, count, haste);
        pairs.push({ ours, bare });
        say(`  pair ${round}: ${words(ours)} (bare hub ${words(bare)})`);
      }
    } finally {
      await agents.kill();
    }
    const of = (part: keyof Footprint) => ({
      value: median(pairs.map(({ ours }) => ours[part])),
      baseline: median(pairs.map(({ bare }) => bare[part])),
      ratio: median(pairs.map(({ ours, bare }) => ours[part] / bare[part])),
    });
    return [
      figure("footprint.memory", { ...of("memory"), unit: "MB" }, { most: 200, of: "value" }),
      figure("footprint.memory_growth", { ...of("growth"), unit: "MB" }, { most: 3, of: "ratio" }),
      figure("footprint.cpu", { ...of("cpu"), unit: "s" }, { most: 2, of: "ratio" }),
    ];
  });
}

const words = ({ memory, growth, cpu }: Footprint) =>
  `${memory.toFixed(0)} MB, grown by ${growth.toFixed(0)} MB, ${cpu.toFixed(2)} s CPU`;

/** Connects everybody over the time of one heartbeat, so that these come as evenly as a real fleet's, and watches what follows. */
async function watch(
  agents: Agents,
  connectedTo: { port: number; pid: number; stop: () => Promise<unknown> },
  count: number,
  haste: number,
): Promise<Footprint> {
  try {
    return await watchConnected(agents, connectedTo, count, HEARTBEAT_MS / haste);
  } finally {
    await connectedTo.stop();
  }
}

async function watchConnected(
  agents: Agents,
  { port, pid }: { port: number; pid: number },
  count: number,
  beat: number,
): Promise<Footprint> {
  const before = memoryOf(pid).resident;
  await agents.aim(port);
  await agents.connect({ perSecond: (count * 1_000) / beat, withinMs: 120_000 });
  // The first heartbeats warm both up; from then on all is repetition.
  await Bun.sleep(beat);
  const cpu = cpuSecondsOf(pid).own;
  const sent = (await agents.look()).counters.framesSent;
  await Bun.sleep(BEATS * beat);
  const spent = cpuSecondsOf(pid).own - cpu;
  const { counters } = await agents.look();
  if (counters.connected !== count)
    throw new Error(`${count - counters.connected} agents lost their connection`);
  if (counters.framesSent - sent < count) throw new Error("there were no heartbeats to measure");
  const memory = memoryOf(pid).resident;
  await agents.disconnect();
  return { memory, growth: memory - before, cpu: spent };
}
