import { Database } from "bun:sqlite";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { RanHosts } from "@restic-manager/protocol/api/jobs";
import { CHUNK_LINES } from "@restic-manager/protocol/limits";
import { startAgents, type Agents } from "../agents.ts";
import { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";
import { moment } from "../simulated/moment.ts";
import { flood, INSTANT } from "../simulated/script.ts";
import { startBareHub, type BareHub } from "./bare-hub.ts";
import { runCommand } from "./run-command.ts";
import { cpuSecondsOf } from "./process-figures.ts";

const SEED = 5;
/** From the last job's start until all begin to write. */
const GATHER_MS = 1_500;
const LOOK_MS = 25;
/** Nothing here takes so long unless something is stuck. */
const PATIENCE_MS = 120_000;

/** One round: every agent wrote the same number of lines, and all of them were acknowledged. */
export interface Streamed {
  lines: number;
  seconds: number;
  linesPerSecond: number;
  /** CPU of the server's process, in microseconds a line. */
  cpuPerLine: number;
}

/**
 * Agents that stream logs, in turn to the product and to a bare hub which appends the same frames to one file. Each side has agents
 * of its own, since an agent that changes servers has things to explain. Their chunks are compressed beforehand, by the agent's own
 * writer; journal, outbox, window and link are the real ones.
 */
export class LogLoad {
  readonly server: FleetServer;
  readonly #hub: BareHub;
  readonly #ours: Agents;
  readonly #bare: Agents;
  readonly #count: number;
  readonly #file: string;

  /** Starts both sides and connects all agents. */
  static async start(folder: string, count: number, argv?: string[]): Promise<LogLoad> {
    const file = join(folder, "frames");
    const server = await FleetServer.start({
      folder: join(folder, "server"),
      hosts: count,
      seed: SEED,
      ...(argv === undefined ? {} : { argv }),
    });
    const hub = await startBareHub({ folder, append: file, registry: true });
    const common = { count, seed: SEED, script: INSTANT };
    const [ours, bare] = await Promise.all([
      startAgents({ ...common, port: server.port }),
      startAgents({ ...common, port: hub.port }),
    ]);
    await ours.connect();
    await bare.connect();
    return new LogLoad({ server, hub, ours, bare, count, file });
  }

  private constructor(parts: {
    server: FleetServer;
    hub: BareHub;
    ours: Agents;
    bare: Agents;
    count: number;
    file: string;
  }) {
    this.server = parts.server;
    this.#hub = parts.hub;
    this.#ours = parts.ours;
    this.#bare = parts.bare;
    this.#count = parts.count;
    this.#file = parts.file;
  }

  /**
   * Streams to the product.
   *
   * @param chunks of each agent. `meanwhile` is called once all jobs run, before the first line, with the first agent's job.
   */
  async ours(chunks: number, meanwhile?: (jobId: string) => Promise<() => Promise<void>>): Promise<Streamed> {
    return await this.#round(this.#ours, this.server.pid, chunks, async () => {
      const host_ids = Array.from({ length: this.#count }, (_, machine) => identityOf(SEED, machine).hostId);
      const { items } = await this.server.call("/api/backups", RanHosts, {
        method: "POST",
        body: { host_ids },
      });
      const [first] = items;
      return await meanwhile?.(first?.outcome === "queued" ? (first.job_ids[0] ?? "") : "");
    });
  }

  /** Streams to the bare hub. */
  async bare(chunks: number): Promise<Streamed> {
    const streamed = await this.#round(this.#bare, this.#hub.pid, chunks, async () => {
      for (let machine = 0; machine < this.#count; machine += 1)
        await this.#hub.say(identityOf(SEED, machine).bearer, runCommand(SEED, machine, machine));
      return undefined;
    });
    return streamed;
  }

  /** What the store takes, all its tables and indexes included, and what its log lines would take as they were written. */
  stored(): { bytes: number; raw: number } {
    const file = new Database(this.server.databaseUrl.slice("sqlite:".length), { readonly: true });
    try {
      const of = (sql: string): number =>
        Number(Object.values(file.query<object, []>(sql).get() ?? {})[0] ?? 0);
      const free = of("pragma freelist_count");
      return {
        bytes: (of("pragma page_count") - free) * of("pragma page_size"),
        raw: of("select sum(raw_size) from log_chunks"),
      };
    } finally {
      file.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#ours.kill(), this.#bare.kill()]);
    await Promise.all([this.server.stop(), this.#hub.stop()]);
    await rm(this.#file, { force: true });
  }

  async #round(
    agents: Agents,
    pid: number,
    chunks: number,
    begin: () => Promise<(() => Promise<void>) | undefined>,
  ): Promise<Streamed> {
    const before = (await agents.look()).counters;
    // All wait for the moment; it is set anew once every job runs.
    await agents.follow({ ...flood(0, chunks * CHUNK_LINES), floodFrom: Number.MAX_SAFE_INTEGER });
    const end = await begin();
    await this.#until(agents, ({ started }) => started - before.started === this.#count);
    const from = moment() + GATHER_MS;
    await agents.follow({ ...flood(0, chunks * CHUNK_LINES), floodFrom: from });
    await Bun.sleep(Math.max(0, from - moment()));
    const cpu = cpuSecondsOf(pid).own;
    const over = await this.#until(
      agents,
      (now, waiting) => now.succeeded - before.succeeded === this.#count && waiting === 0,
    );
    const used = cpuSecondsOf(pid).own - cpu;
    await end?.();
    const lines = over.counters.lines - before.lines;
    const seconds = (over.at - from) / 1_000;
    return { lines, seconds, linesPerSecond: lines / seconds, cpuPerLine: (used * 1e6) / lines };
  }

  async #until(
    agents: Agents,
    holds: (counters: Awaited<ReturnType<Agents["look"]>>["counters"], waiting: number) => boolean,
  ) {
    const late = moment() + PATIENCE_MS;
    for (;;) {
      const { counters, waiting, said } = await agents.look();
      const at = moment();
      if (holds(counters, waiting)) return { counters, at };
      if (at > late)
        throw new Error(`stuck: ${waiting} frames wait, ${JSON.stringify(counters)}, ${said.join("; ")}`);
      await Bun.sleep(LOOK_MS);
    }
  }
}
