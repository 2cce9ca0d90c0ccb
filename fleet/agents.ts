import { noCounters, sumCounters } from "./simulated/counters.ts";
import type { HeardSchedules, Spawn } from "./simulated/agent.ts";
import type { SimulatorState } from "./simulated/orders.ts";
import { NIGHT, type Script } from "./simulated/script.ts";
import { SimulatorProcess } from "./simulated/simulator-process.ts";

/**
 * Agents of one process at most. A process may open some 20,000 files; an agent in memory needs one (its socket), one with a state
 * file four. With this the server's side, which has all of them, is the one that reaches the limit first.
 */
const MOST_IN_MEMORY = 8_000;
const MOST_WITH_FILES = 4_000;
/** Loopback addresses that agents connect to; each has 28,000 ports of its own. */
const ADDRESSES = 32;

export interface AgentsOptions {
  /** Port of the server on this machine; it must listen on 0.0.0.0. */
  port: number;
  /** How many machines, numbered from `first` (0 unless told). */
  count: number;
  first?: number;
  /** What they are and do follows from it; the server's store must be seeded with the same. */
  seed: number;
  script?: Script;
  /** How many processes; as few as the limits allow unless told. */
  processes?: number;
  /** Keeps the agents' state files there (on tmpfs, say) instead of in memory. */
  folder?: string;
  /** Makes the agents' timers (heartbeat, deadline, patience) so many times as fast, for a short run; 1 unless told. */
  haste?: number;
}

/** All agents of all simulators together. */
export interface AgentsState extends Omit<SimulatorState, "openFiles"> {
  /** One entry for each process. */
  processes: { pid: number; openFiles: number }[];
}

/**
 * Thousands of simulated agents, in processes of their own. They run the agent's own link, outbox, journal, queue and log; only what
 * restic does is told from a script. Not connected yet when this comes back.
 *
 * Bun's WebSocket cannot be told which source address to use, so the agents are spread over the *destination*: machine n connects to
 * 127.0.0.(2 + n mod 32), each of which has a port space of its own.
 */
export async function startAgents(options: AgentsOptions): Promise<Agents> {
  const { count, folder, first = 0, seed, port, script = NIGHT, haste = 1 } = options;
  const most = folder === undefined ? MOST_IN_MEMORY : MOST_WITH_FILES;
  const number = Math.max(options.processes ?? 1, Math.ceil(count / most));
  const processes: SimulatorProcess[] = [];
  try {
    await Promise.all(
      Array.from({ length: number }, async (_, at) => {
        const simulator = new SimulatorProcess();
        processes.push(simulator);
        const from = Math.floor((count * at) / number);
        const to = Math.floor((count * (at + 1)) / number);
        await simulator.ask("begin", {
          seed,
          first: first + from,
          count: to - from,
          servers: addressesOf(port),
          script,
          haste,
          folder,
        });
      }),
    );
    return new Agents(processes);
  } catch (error) {
    await Promise.all(processes.map((simulator) => simulator.end()));
    throw error;
  }
}

/** Handle on running simulators. */
export class Agents {
  readonly #processes: SimulatorProcess[];

  /** Use `startAgents`. */
  constructor(processes: SimulatorProcess[]) {
    this.#processes = processes;
  }

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /**
   * Connects all that are not connected and comes back when each was welcomed, which a server says only once it has committed its
   * hello. Answers the moment (see `moment()`) of the last welcome.
   *
   * @param perSecond spread over time; all at once unless told.
   * @throws Error when some are not connected within `withinMs` (60 s unless told), with what they said.
   */
  async connect({ perSecond, withinMs = 60_000 }: { perSecond?: number; withinMs?: number } = {}): Promise<{
    at: number;
  }> {
    const share = perSecond === undefined ? undefined : perSecond / this.#processes.length;
    const each = await Promise.all(
      this.#processes.map((simulator) => simulator.ask("connect", { perSecond: share, withinMs })),
    );
    return { at: Math.max(...each.map(({ at }) => at)) };
  }

  /** Makes them connect to another port of this machine, from the next connection on. */
  async aim(port: number): Promise<void> {
    await Promise.all(this.#processes.map((simulator) => simulator.ask("aim", addressesOf(port))));
  }

  /** Hangs up and stays away until `connect`; what runs goes on. */
  async disconnect(): Promise<void> {
    await Promise.all(this.#processes.map((simulator) => simulator.ask("disconnect", {})));
  }

  /** Gives all of them another script, from their next job on. */
  async follow(script: Script): Promise<void> {
    await Promise.all(this.#processes.map((simulator) => simulator.ask("script", script)));
  }

  /** What they did so far, and how they are. Costs a look at each agent's outbox. */
  async look(): Promise<AgentsState> {
    const each = await Promise.all(this.#processes.map((simulator) => simulator.ask("look", {})));
    return {
      counters: each.length === 0 ? noCounters() : sumCounters(each.map(({ counters }) => counters)),
      waiting: each.reduce((sum, { waiting }) => sum + waiting, 0),
      said: each.flatMap(({ said }) => said),
      processes: each.map(({ openFiles }, at) => ({ pid: this.pids[at] ?? 0, openFiles })),
    };
  }

  /** Each job that reached restic since this was asked last: which, on which machine, and the moment. */
  async spawns(): Promise<Spawn[]> {
    return (await Promise.all(this.#processes.map((simulator) => simulator.ask("spawns", {})))).flat();
  }

  /** Each set of schedules that reached its agent since this was asked last. */
  async schedules(): Promise<HeardSchedules[]> {
    return (await Promise.all(this.#processes.map((simulator) => simulator.ask("schedules", {})))).flat();
  }

  /** Collects the garbage of all of them. */
  async collect(): Promise<void> {
    await Promise.all(this.#processes.map((simulator) => simulator.ask("collect", {})));
  }

  /** Stops every agent as a service manager would, then ends the processes. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#processes.map((simulator) => simulator.ask("stop", {})));
    await this.kill();
  }

  /** Ends the processes as a power cut would. */
  async kill(): Promise<void> {
    await Promise.all(this.#processes.map((simulator) => simulator.end()));
  }
}

const addressesOf = (port: number): string[] =>
  Array.from({ length: ADDRESSES }, (_, at) => `http://127.0.0.${at + 2}:${port}`);
