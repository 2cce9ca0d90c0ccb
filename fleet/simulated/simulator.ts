import { readdirSync } from "node:fs";
import { systemTimers } from "@restic-manager/agent/timers";
import { SimulatedAgent, type HeardSchedules, type Spawn } from "./agent.ts";
import { noCounters } from "./counters.ts";
import { premadeChunks, type PremadeChunk } from "./flood.ts";
import { identityOf } from "./identity.ts";
import { moment } from "./moment.ts";
import type { Beginning, SimulatorState } from "./orders.ts";

/** Spawns and schedules that nobody asked for are kept up to here; the oldest go. */
const MOST_SPAWNS = 200_000;
/** Things said that are kept for a person. */
const MOST_SAID = 20;
/** Agents that are made, or set off, in one turn of the event loop. */
const AT_ONCE = 50;

/** Thousands of simulated agents in this process. */
export class Simulator {
  readonly #counters = noCounters();
  readonly #agents: SimulatedAgent[] = [];
  #script: Beginning["script"];
  #servers: string[];
  #spawns: Spawn[] = [];
  #schedules: HeardSchedules[] = [];
  #said: string[] = [];
  #chunks: PremadeChunk[] | undefined;
  #lastWelcome = 0;
  #allConnected: (() => void) | undefined;

  static async begin(beginning: Beginning): Promise<Simulator> {
    const simulator = new Simulator(beginning);
    for (let made = 0; made < beginning.count; made += 1) {
      if (made % AT_ONCE === 0) await turn();
      await simulator.#add(beginning, beginning.first + made);
    }
    return simulator;
  }

  private constructor({ script, servers }: Beginning) {
    this.#script = script;
    this.#servers = servers;
  }

  set servers(next: string[]) {
    this.#servers = next;
  }

  set script(next: Beginning["script"]) {
    this.#script = next;
  }

  /**
   * Connects all that are not connected. Resolves with the moment when the last of them was welcomed.
   *
   * @throws Error with how many are missing when it takes longer than `withinMs`.
   */
  async connect({
    perSecond,
    withinMs,
  }: {
    perSecond?: number | undefined;
    withinMs: number;
  }): Promise<{ at: number }> {
    const done = new Promise<void>((resolve) => (this.#allConnected = resolve));
    const began = performance.now();
    const late = new Promise<"late">((resolve) => setTimeout(resolve, withinMs, "late").unref());
    for (const [at, agent] of this.#agents.entries()) {
      if (perSecond !== undefined)
        await Bun.sleep(Math.max(0, began + (at * 1_000) / perSecond - performance.now()));
      else if (at % AT_ONCE === 0) await turn();
      agent.connect();
    }
    if (this.#counters.connected < this.#agents.length && (await Promise.race([done, late])) === "late") {
      const missing = this.#agents.length - this.#counters.connected;
      throw new Error(`${missing} agents are not connected after ${withinMs} ms: ${this.#said.join("; ")}`);
    }
    return { at: this.#lastWelcome };
  }

  async disconnect(): Promise<void> {
    for (const [at, agent] of this.#agents.entries()) {
      if (at % AT_ONCE === 0) await turn();
      agent.disconnect();
    }
  }

  look(): SimulatorState {
    return {
      counters: this.#counters,
      waiting: this.#agents.reduce((sum, agent) => sum + agent.waiting, 0),
      openFiles: readdirSync("/proc/self/fd").length,
      said: this.#said,
    };
  }

  takeSpawns(): Spawn[] {
    const taken = this.#spawns;
    this.#spawns = [];
    return taken;
  }

  takeSchedules(): HeardSchedules[] {
    const taken = this.#schedules;
    this.#schedules = [];
    return taken;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()));
  }

  async #add({ seed, haste, folder }: Beginning, number: number): Promise<void> {
    const agent = new SimulatedAgent({
      identity: identityOf(seed, number),
      seed,
      haste,
      server: () => this.#servers[number % this.#servers.length] ?? "http://127.0.0.1:9",
      folder,
      script: () => this.#script,
      chunks: () => (this.#chunks ??= premadeChunks(seed, systemTimers())),
      counters: this.#counters,
      spawned: (spawn) => {
        this.#spawns.push(spawn);
        if (this.#spawns.length > MOST_SPAWNS) this.#spawns = this.#spawns.slice(-MOST_SPAWNS / 2);
      },
      scheduled: (heard) => {
        this.#schedules.push(heard);
        if (this.#schedules.length > MOST_SPAWNS) this.#schedules = this.#schedules.slice(-MOST_SPAWNS / 2);
      },
      turned: (connected) => {
        if (!connected) return;
        this.#lastWelcome = moment();
        if (this.#counters.connected === this.#agents.length) this.#allConnected?.();
      },
      said: (words) => {
        this.#said.push(words);
        if (this.#said.length > MOST_SAID) this.#said.shift();
      },
    });
    this.#agents.push(agent);
    await agent.begin();
  }
}

/** Lets sockets and timers have their turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
