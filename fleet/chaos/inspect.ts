import { join } from "node:path";
import { checkProgramLog } from "./checks/logs-of-programs.ts";
import { checkLog, type StoredLog } from "./checks/logs.ts";
import { checkOutcomes, type StoredJob } from "./checks/outcomes.ts";
import { checkRuns } from "./checks/runs.ts";
import { checkSnapshots } from "./checks/snapshots.ts";
import { checkFiles } from "./checks/traces.ts";
import { footprintOf, Trend } from "./checks/footprint.ts";
import type { ChaosHost } from "./host.ts";
import type { Ledger } from "./ledger.ts";
import type { World } from "./world.ts";

/** Looks at a fleet at rest for everything that must hold. Remembers what it has read, so that each log is read once. */
export class Inspector {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #readLogs = new Set<string>();
  readonly #programs = new Map<string, number>();
  readonly trends = new Map<string, Trend>();

  constructor(world: World, ledger: Ledger) {
    this.#world = world;
    this.#ledger = ledger;
  }

  /** What is wrong, in sentences; empty when all is well. */
  async look(round: number): Promise<string[]> {
    const { hosts } = this.#world;
    const wrong: string[] = [];
    const seen = await this.#world.store(async (db) => {
      const jobs = await db.selectFrom("jobs").selectAll().execute();
      const fresh = jobs.filter(({ id, finished_at }) => finished_at !== null && !this.#readLogs.has(id));
      const logs = new Map<string, StoredLog>();
      for (const { id } of fresh) {
        const chunks = await db
          .selectFrom("log_chunks")
          .select(["first_line", "count", "raw_size", "data"])
          .where("job_id", "=", id)
          .orderBy("first_line")
          .execute();
        const gaps = await db
          .selectFrom("log_gaps")
          .select(["first_line", "count"])
          .where("job_id", "=", id)
          .execute();
        logs.set(id, { chunks, gaps });
      }
      const snapshots = await db.selectFrom("snapshots").select(["host_id", "id"]).execute();
      const rejected = await db.selectFrom("rejected_frames").selectAll().execute();
      return {
        jobs: new Map<string, StoredJob>(jobs.map((job) => [job.id, job])),
        logs,
        snapshots,
        rejected,
      };
    });
    wrong.push(...checkOutcomes(hosts, this.#ledger, seen.jobs));
    wrong.push(...checkRuns(hosts, this.#ledger, seen.jobs));
    for (const [id, log] of seen.logs) {
      this.#readLogs.add(id);
      const job = seen.jobs.get(id);
      const host = hosts.find((one) => one.id === job?.host_id);
      if (job === undefined || host === undefined) continue;
      const mayMiss = host.touched.has("fill_outbox");
      wrong.push(...checkLog(job, log, host, this.#ledger, mayMiss));
    }
    for (const host of hosts) {
      const listed = seen.snapshots.filter(({ host_id }) => host_id === host.id).map(({ id }) => id);
      const inRepository = await host.snapshotIds((args) => this.#world.restic(host, args));
      wrong.push(...checkSnapshots(host, listed, inRepository, seen.jobs.values()));
    }
    for (const { host_id, seq, reason } of seen.rejected)
      if (hosts.some(({ id }) => id === host_id))
        wrong.push(`frame ${seq} of ${host_id} was put aside: ${reason}`);
    wrong.push(...this.#deaths(), ...this.#stumbles(), ...this.#footprints(round));
    return wrong;
  }

  /** Every file and process, for every secret: slow, so not each round. */
  async search(): Promise<string[]> {
    await this.#world.postgres?.dump(join(this.#world.folder, "dump.sql"));
    return checkFiles(this.#world.folder, this.#world.secrets);
  }

  #deaths(): string[] {
    const { hosts, keeper, touched } = this.#world;
    const wrong: string[] = [];
    // Without its store a server does not start, and neither does an agent without room for its state: they are started again.
    const server = keeper.deaths.splice(0);
    if (!touched.has("fill_store") && !touched.has("restart_store")) wrong.push(...server);
    for (const host of hosts) {
      const deaths = host.keeper.deaths.splice(0);
      if (!host.touched.has("fill_outbox")) wrong.push(...deaths);
    }
    return wrong;
  }

  #stumbles(): string[] {
    const { folder, hosts } = this.#world;
    const logs = [join(folder, "server.log"), ...hosts.map((host) => logOf(host))];
    return logs.flatMap((path) => {
      const { wrong, read } = checkProgramLog(path, this.#programs.get(path) ?? 0);
      this.#programs.set(path, read);
      return wrong;
    });
  }

  #footprints(round: number): string[] {
    const { hosts, server } = this.#world;
    const wrong: string[] = [];
    const note = (name: string, pid: number): void => {
      const trend = this.trends.get(name) ?? new Trend(name);
      this.trends.set(name, trend);
      const now = footprintOf(pid);
      if (now !== undefined) trend.note(round, now);
      wrong.push(...trend.exceeded());
    };
    note("the server", server.pid);
    for (const host of hosts) note(`the agent of h${host.index}`, host.agent.pid);
    return wrong;
  }
}

function logOf(host: ChaosHost): string {
  return join(host.folder, `${host.agent.name}.log`);
}
