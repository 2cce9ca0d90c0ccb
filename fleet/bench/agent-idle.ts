import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import { systemClock } from "@restic-manager/server/platform/clock";
import { readConfig } from "@restic-manager/server/platform/config";
import { createLog } from "@restic-manager/server/platform/log";
import { startServer } from "@restic-manager/server/start";
import { apiClient } from "../../script/trial/api-client.ts";
import { Program } from "../../script/trial/program.ts";
import type { AgentBench } from "./agent-bench.ts";
import { agentFolders, startAgent } from "./agent-program.ts";
import { figure, type Figure } from "./figure.ts";
import { startHub } from "./hub.ts";
import { memoryOf, type Memory } from "./process-figures.ts";

/** How long nothing happens before the first reading. */
const SETTLE_MS = 10_000;
/** Then memory is read for so long: what comes back with heartbeats and timers counts, too. */
const WATCH_MS = 120_000;
const EVERY_MS = 2_000;

/**
 * What an agent keeps of memory when it has been enrolled at a real server, has made its repository, and has nothing to do: the
 * most that was read in two idle minutes. `peak` is the most it ever had, its start included.
 */
export async function measureIdle(bench: AgentBench): Promise<Figure[]> {
  bench.say("idle memory…");
  const watch = bench.quick ? EVERY_MS : WATCH_MS;
  const settle = bench.quick ? SETTLE_MS / 2 : SETTLE_MS;
  const [agent, floor] = await Promise.all([
    ofAgent(bench, { settle, watch }),
    ofFloor(bench, { settle, watch }),
  ]);
  const of = (part: keyof Memory) => ({ value: agent[part], unit: "MB" as const, baseline: floor[part] });
  return [
    figure("agent.idle_memory", of("resident"), { most: 40, of: "value" }),
    figure("agent.idle_memory.anonymous", of("anonymous")),
    figure("agent.idle_memory.file", of("file")),
    figure("agent.peak_memory", of("peak")),
  ];
}

/** Milliseconds before the first reading, and of readings. */
interface Span {
  settle: number;
  watch: number;
}

/** The reading with the most resident memory among those of the idle time. */
async function watchIdle(pid: number, { settle, watch }: Span): Promise<Memory> {
  await Bun.sleep(settle);
  let most = memoryOf(pid);
  for (let left = watch; left > 0; left -= EVERY_MS) {
    await Bun.sleep(EVERY_MS);
    const now = memoryOf(pid);
    if (now.resident > most.resident) most = now;
  }
  return most;
}

async function ofAgent({ agent, folder, restic }: AgentBench, span: Span): Promise<Memory> {
  const home = join(folder, "idle");
  const data = join(home, "server");
  mkdirSync(data, { recursive: true });
  const clock = systemClock();
  const env = { RM_LISTEN: "127.0.0.1:0", RM_DATA_DIR: data, RM_COOKIE_SECURE: "false" };
  const server = await startServer(readConfig(env), {
    clock,
    log: createLog(clock, () => {}),
    pages: () => new Response("a benchmark has no console"),
    agentsFolder: folder,
  });
  const programs: Program[] = [];
  try {
    const api = apiClient(server.url);
    const anything = { parse: (value: unknown) => value };
    await api.call("POST", "/api/setup", anything, {
      token: new URL(server.setupUrl ?? server.url).searchParams.get("token"),
      username: "bench",
      password: crypto.randomUUID(),
      base_url: server.url,
    });
    const { token } = await api.call("POST", "/api/enrollment-tokens", EnrollmentToken, {
      host_name: "bench",
      repository_url: join(home, "repository"),
    });
    const enrolling = new Program({
      name: "the agent's enrolment",
      argv: [agent, "enroll", "--server", server.url, "--restic", restic, ...agentFolders(home)],
      env: { RM_TOKEN: token },
      logFile: join(home, "enroll.log"),
    });
    if ((await enrolling.exited) !== 0) throw new Error(`the agent could not be enrolled${enrolling.tail()}`);
    const running = startAgent(agent, home);
    programs.push(running);
    const late = Date.now() + 60_000;
    for (;;) {
      const [found] = (await api.call("GET", "/api/hosts", HostsPage)).items;
      const host = found?.online === true ? await api.call("GET", `/api/hosts/${found.id}`, Host) : undefined;
      if (host?.repository.state === "ready") break;
      if (Date.now() > late) throw new Error(`the agent's repository is not ready${running.tail()}`);
      await Bun.sleep(100);
    }
    const memory = await watchIdle(running.pid, span);
    await running.mustRun();
    return memory;
  } finally {
    for (const program of programs) await program.stop();
    await server.stop();
  }
}

async function ofFloor({ floor, folder }: AgentBench, span: Span): Promise<Memory> {
  const hub = startHub(null);
  const child = Bun.spawn([floor, hub.url, join(folder, "floor.db")], {
    env: {},
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    await Promise.race([hub.nextHello(), child.exited]);
    return await watchIdle(child.pid, span);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
    await hub.stop();
  }
}
