import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AgentBench } from "./agent-bench.ts";
import { agentFolders, enrolledAt } from "./agent-program.ts";
import { figure, median, type Figure } from "./figure.ts";
import { startHub, type Hub } from "./hub.ts";

const ROUNDS = 9;

/** From the spawn of the agent to the arrival of its `hello`, beside the floor program's, in turn. */
export async function measureStart({
  agent,
  floor,
  folder,
  restic,
  quick,
  say,
}: AgentBench): Promise<Figure[]> {
  say("start to connected…");
  const hub = startHub(null);
  try {
    const home = join(folder, "start");
    enrolledAt(hub.url, home, restic);
    mkdirSync(join(folder, "start-floor"));
    const argvOfAgent = [agent, "run", ...agentFolders(home)];
    const argvOfFloor = [floor, hub.url, join(folder, "start-floor/floor.db")];
    // The very first start makes agent.db and asks restic for its version; later ones remember it.
    const first = await once(hub, argvOfAgent);
    await once(hub, argvOfFloor);
    const ours: number[] = [];
    const least: number[] = [];
    for (let round = 0; round < (quick ? 3 : ROUNDS); round++) {
      ours.push(await once(hub, argvOfAgent));
      least.push(await once(hub, argvOfFloor));
    }
    return [
      figure(
        "agent.start_to_connected",
        { value: median(ours), unit: "ms", baseline: median(least) },
        { most: 60, of: "value" },
      ),
      figure("agent.first_start_to_connected", { value: first, unit: "ms" }),
    ];
  } finally {
    await hub.stop();
  }
}

/** Milliseconds from just before the spawn to the hello's arrival. Ends the program afterwards. */
async function once(hub: Hub, argv: string[]): Promise<number> {
  const hello = hub.nextHello();
  const began = performance.now();
  const child = Bun.spawn(argv, { env: {}, stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  const early = child.exited.then((code) => {
    throw new Error(`${argv[0]} ended with ${code} before it connected`);
  });
  try {
    return (await Promise.race([hello, early])) - began;
  } finally {
    early.catch(() => undefined);
    child.kill("SIGKILL");
    await child.exited;
  }
}
