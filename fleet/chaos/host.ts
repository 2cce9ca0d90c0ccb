import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "bun:sqlite";
import type { HostId } from "@restic-manager/protocol/ids";
import { installFakeRestic, type FakeRestic } from "@restic-manager/restic/fake/install";
import { realRestic } from "@restic-manager/restic/testing/real";
import { AgentFile } from "@restic-manager/agent/agent-file";
import { AgentProcess } from "../../e2e/stage/agent-process.ts";
import type { SmallDisk } from "../../e2e/stage/small-disk.ts";
import { Keeper } from "./keeper.ts";
import { recordedRestic, scriptedRuns, type ResticRuns } from "./restic-runs.ts";
import type { Distortion } from "./shim.ts";
import type { Wire } from "./wire.ts";

/** Where a host's data goes and how its repository is opened. */
export interface Repository {
  url: string;
  username?: string;
  password?: string;
  repositoryPassword: string;
}

export interface HostParts {
  index: number;
  name: string;
  folder: string;
  wire: Wire;
  distortion: Distortion | undefined;
  /** Holds its state, so that its outbox can be filled. */
  disk: SmallDisk | undefined;
  kind: "scripted" | "real";
  repository: Repository;
  zone: string;
}

/** A job as the agent's own state has it. */
export interface AgentJob {
  id: string;
  state: "accepted" | "running" | "finished";
  outcome: string | null;
}

/** A machine of the fleet under chaos. */
export class ChaosHost {
  readonly index: number;
  readonly kind: "scripted" | "real";
  readonly folder: string;
  readonly wire: Wire;
  readonly distortion: Distortion | undefined;
  readonly disk: SmallDisk | undefined;
  readonly repository: Repository;
  readonly agent: AgentProcess;
  readonly keeper: Keeper;
  readonly runs: ResticRuns;
  readonly source: string;
  readonly #fake: FakeRestic | undefined;
  readonly #restic: string;
  #released: string | undefined;
  /** Changes when it is removed and enrolled anew. */
  id: HostId | undefined;
  name: string;
  groupId = "";
  /** What was done to it in this round: a backup of an untouched host must succeed. */
  readonly touched = new Set<string>();

  constructor(parts: HostParts) {
    const { index, name, folder, disk, distortion, wire, kind, repository, zone } = parts;
    this.index = index;
    this.name = name;
    this.kind = kind;
    this.folder = folder;
    this.wire = wire;
    this.distortion = distortion;
    this.disk = disk;
    this.repository = repository;
    this.source = kind === "real" ? join(folder, "source") : "/srv/data";
    const restic = join(folder, "restic");
    mkdirSync(restic, { recursive: true });
    if (kind === "scripted") {
      this.#fake = installFakeRestic(restic);
      this.#restic = this.#fake.path;
      this.runs = scriptedRuns(restic);
    } else {
      const { path, runs } = recordedRestic(restic, realRestic());
      this.#restic = path;
      this.runs = runs;
    }
    this.agent = new AgentProcess({
      name: `agent-${index}`,
      folder,
      ...(disk === undefined ? {} : { stateDir: join(disk.path, "state") }),
      env: { TZ: zone, ...distortion?.env },
    });
    this.keeper = new Keeper({
      name: `the agent of h${index}`,
      start: async () => this.agent.start(),
      ended: () => this.agent.death,
    });
  }

  /** Makes it host `id` of the server, whatever it was before. */
  async enroll(token: string): Promise<AgentFile> {
    const server = `http://127.0.0.1:${this.wire.port}`;
    const { code, said } = await this.agent.enroll(server, token, this.#restic, ["--force"]);
    if (code !== 0) throw new Error(`enrolling h${this.index} ended with ${code}${said}`);
    return this.identity();
  }

  identity(): AgentFile {
    const text = readFileSync(join(this.agent.configDir, "agent.yaml"), "utf8");
    return AgentFile.parse(Bun.YAML.parse(text));
  }

  /** How the scripted restic behaves from now on. `wait`: each backup stands in its middle until `release`. */
  play(lines: number, wait: string | undefined): void {
    if (this.#released !== undefined) this.#fake?.take(this.#released);
    this.#released = wait;
    const backup = { log_lines: lines, by_pid: true, ...(wait === undefined ? {} : { wait_for: wait }) };
    this.#fake?.play({ initialised: true, password: this.repository.repositoryPassword, backup });
  }

  release(): void {
    if (this.#released !== undefined) this.#fake?.release(this.#released);
  }

  /** What the real restic shall find: `count` files of this round. */
  lay(round: number, count: number): void {
    if (this.kind === "scripted") return;
    rmSync(this.source, { recursive: true, force: true });
    mkdirSync(this.source, { recursive: true });
    for (let n = 1; n <= count; n += 1)
      writeFileSync(join(this.source, `r${round}-file${n}`), `round ${round}, file ${n}, ${this.name}\n`);
  }

  /** Ids of its snapshots, by the repository's own word. `restic`: runs the real one on the host's repository. */
  async snapshotIds(restic: (args: string[]) => Promise<string>): Promise<string[]> {
    if (this.#fake === undefined) {
      const text = await restic(["snapshots", "--json", "--no-lock", `--host=${this.name}`]);
      return (JSON.parse(text) as { id: string }[]).map(({ id }) => id);
    }
    const state: unknown = JSON.parse(readFileSync(join(this.#fake.dir, "state.json"), "utf8"));
    return (state as { snapshots: { id: string; hostname: string }[] }).snapshots
      .filter(({ hostname }) => hostname === this.name)
      .map(({ id }) => id);
  }

  /** Processes that the agent has started and that live. */
  children(): number[] {
    if (!this.keeper.running) return [];
    try {
      const { pid } = this.agent;
      const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
      return text.split(" ").filter(Boolean).map(Number);
    } catch {
      return [];
    }
  }

  jobs(): AgentJob[] {
    return this.look((db) => db.query<AgentJob, []>("select id, state, outcome from job").all());
  }

  meta(key: string): string | undefined {
    return this.look(
      (db) => db.query<{ value: string }, [string]>("select value from meta where key = ?").get(key)?.value,
    );
  }

  look<T>(read: (db: Database) => T): T {
    const db = new Database(join(this.agent.stateDir, "agent.db"), { readonly: true });
    try {
      db.run("pragma busy_timeout = 2000");
      return read(db);
    } finally {
      db.close();
    }
  }
}
