import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import type { HostId } from "@restic-manager/protocol/ids";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import { SourceGroups } from "@restic-manager/protocol/api/sources";
import { realRestic, startRestServer, type RestServer } from "@restic-manager/restic/testing/real";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import { ADMIN, freePort, ServerProcess } from "../../e2e/stage/server-process.ts";
import { SmallDisk } from "../../e2e/stage/small-disk.ts";
import { until } from "../../e2e/stage/until.ts";
import { eraOf, type Era } from "./era.ts";
import { ChaosHost, type Repository } from "./host.ts";
import { Keeper } from "./keeper.ts";
import { RestartableNats, whyNoNats } from "./nats.ts";
import { ACTION_KINDS, type ActionKind, type Cast } from "./plan.ts";
import { RestartablePostgres } from "./postgres.ts";
import { Secrets } from "./secrets.ts";
import { compileShim, Distortion } from "./shim.ts";
import { Wire } from "./wire.ts";

/** Room for the server's store, and for what one agent keeps, in MB: small enough to be filled in a moment. */
const STORE_MB = { sqlite: 128, postgres: 320 } as const;
const OUTBOX_MB = 32;
/** How long an answer of the API is waited for: the server may be frozen. */
const ANSWER_MS = 5_000;

export interface WorldOptions {
  store: "sqlite" | "postgres";
  seed: number;
  scripted: number;
  real: number;
  say: (line: string) => void;
}

/** A server, its store, its agents and all that lies between them: real processes that can be harmed in every way. */
export class World {
  readonly folder: string;
  readonly options: WorldOptions;
  readonly era: Era;
  readonly secrets = new Secrets();
  readonly hosts: ChaosHost[] = [];
  readonly can = new Set<ActionKind>(ACTION_KINDS);
  /** What was done to everybody in this round. */
  readonly touched = new Set<string>();
  /** Hosts that only the harness knew; they are removed when the round is over. */
  readonly spare = new Set<HostId>();
  readonly #shim: string | undefined;
  #server: ServerProcess | undefined;
  #keeper: Keeper | undefined;
  #restServer: RestServer | undefined;
  serverDistortion: Distortion | undefined;
  storeDisk: SmallDisk | undefined;
  postgres: RestartablePostgres | undefined;
  nats: RestartableNats | undefined;
  #names = 0;

  static async build(options: WorldOptions): Promise<World> {
    const world = new World(options);
    try {
      await world.#build();
      return world;
    } catch (error) {
      await world.end();
      throw error;
    }
  }

  private constructor(options: WorldOptions) {
    this.options = options;
    this.era = eraOf(options.seed);
    this.folder = mkdtempSync(join(tmpdir(), "rm-chaos-"));
    // PostgreSQL runs as somebody else and must get through to its own folder.
    chmodSync(this.folder, 0o711);
    const shim = compileShim(this.folder);
    if ("path" in shim) this.#shim = shim.path;
    else this.#cannot(["clock", "slow_fsync"], shim.why);
  }

  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error("there is no server");
    return this.#server;
  }

  get keeper(): Keeper {
    if (this.#keeper === undefined) throw new Error("there is no server");
    return this.#keeper;
  }

  get cast(): Cast {
    const onSmallDisk = this.hosts.filter((host) => host.disk !== undefined).map(({ index }) => index);
    const { scripted, real } = this.options;
    return { scripted, real, onSmallDisk, can: this.can };
  }

  get keepers(): Keeper[] {
    return [this.keeper, ...this.hosts.map(({ keeper }) => keeper)];
  }

  /** Everything that fails because of an answer that does not come, fails soon. */
  async answer<T>(ask: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error("no answer from the server")), ANSWER_MS);
    try {
      return await Promise.race([ask, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A token for a machine that the harness plays itself; each has a name of its own. */
  async token(): Promise<EnrollmentToken> {
    const repositoryPassword = randomBytes(24).toString("base64url");
    return await this.#token(
      `spare-${++this.#names}`,
      { url: "/srv/nowhere", repositoryPassword },
      "/srv/data",
    );
  }

  /** Makes a machine a host of the server, by a new name each time. */
  async enroll(host: ChaosHost): Promise<void> {
    host.name = `h${host.index}-${++this.#names}`;
    const { token } = await this.#token(host.name, host.repository, host.source);
    const { bearer, sealing_key, host_id } = await host.enroll(token);
    host.id = host_id;
    this.secrets.add(`bearer of ${host.name}`, bearer, ["agent.yaml"]);
    this.secrets.add(`sealing key of ${host.name}`, Buffer.from(sealing_key, "base64"), ["agent.yaml"]);
    const path = `/api/hosts/${host_id}/source-groups`;
    const { items } = await this.answer(this.server.api.call("GET", path, SourceGroups));
    host.groupId = items[0]?.id ?? "";
  }

  /** Looks into the server's store, beside the server. */
  async store<T>(look: (db: OpenStore["db"]) => Promise<T>): Promise<T> {
    const store = await openDatabase(this.server.databaseUrl);
    try {
      return await look(store.db);
    } finally {
      await store.close();
    }
  }

  /** Runs the real restic by itself on a host's repository. Throws with its words. */
  async restic(host: ChaosHost, args: string[]): Promise<string> {
    const { url, username, password, repositoryPassword } = host.repository;
    const child = Bun.spawn([realRestic(), ...args], {
      env: {
        RESTIC_REPOSITORY: url,
        RESTIC_PASSWORD: repositoryPassword,
        RESTIC_REST_USERNAME: username ?? "",
        RESTIC_REST_PASSWORD: password ?? "",
        RESTIC_CACHE_DIR: join(this.folder, "restic-cache"),
        HOME: this.folder,
        PATH: "/usr/bin:/bin",
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0) throw new Error(`restic ${args.join(" ")} ended with ${code}: ${err}`);
    return out;
  }

  /** Ends every process and every disk. `keep`: leaves the folder to be looked at, with copies of what lay on the disks. */
  async end(keep = false): Promise<void> {
    for (const host of this.hosts) {
      for (const pid of host.children()) kill(pid);
      await host.agent.end();
      host.wire.stop();
    }
    for (const host of this.hosts) for (const { pid } of host.runs.look().slice(-20)) this.#killRestic(pid);
    await this.#server?.end();
    await this.nats?.kill();
    await this.postgres?.stop("fast");
    await this.#restServer?.stop();
    const disks = [this.storeDisk, ...this.hosts.map(({ disk }) => disk)].filter(
      (disk) => disk !== undefined,
    );
    for (const disk of disks) {
      disk.relieve();
      if (keep) Bun.spawnSync(["cp", "-a", disk.path, `${disk.path}-kept`]);
      disk.unmount();
    }
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  async #build(): Promise<void> {
    const { store, scripted, real } = this.options;
    this.storeDisk = this.#disk("store", STORE_MB[store], ["fill_store"]);
    const inStore = this.storeDisk?.path ?? join(this.folder, "store");
    if (store === "postgres") this.postgres = await RestartablePostgres.start(join(inStore, "pg"));
    else this.#cannot(["restart_store"], "SQLite is a file: killing its server is what restarts it");
    const noNats = whyNoNats(store);
    if (noNats === undefined) {
      this.nats = new RestartableNats(this.folder, freePort());
      await this.nats.start();
    } else this.#cannot(["restart_bus"], noNats);

    this.serverDistortion = this.#distortion("server");
    const server = new ServerProcess({
      folder: this.folder,
      dataDir: store === "sqlite" ? join(inStore, "data") : join(this.folder, "data"),
      databaseUrl: this.postgres?.url,
      env: {
        TZ: this.era.zone,
        ...this.serverDistortion?.env,
        ...(this.nats === undefined ? {} : { RM_NATS_URL: this.nats.url }),
      },
    });
    this.#server = server;
    this.#keeper = new Keeper({ name: "the server", start: () => server.start(), ended: () => server.death });
    await this.keeper.up();
    const [death] = this.keeper.deaths;
    if (death !== undefined) throw new Error(death);
    await this.#signIn();

    const account = { username: "fleet", password: randomBytes(24).toString("base64url") };
    this.secrets.add("password of the rest-server", account.password);
    this.#restServer = await startRestServer({ users: { [account.username]: account.password } });
    for (let index = 0; index < scripted + real; index += 1) {
      const repositoryPassword = randomBytes(24).toString("base64url");
      // The scripted restic must know it, to refuse any other.
      const home = [`h${index}/restic/scenario.json`];
      this.secrets.add(`repository password of h${index}`, repositoryPassword, home);
      const repository =
        index < scripted
          ? { url: `/srv/repository-${index}`, repositoryPassword }
          : { url: `${this.#restServer.url}h${index}/`, ...account, repositoryPassword };
      this.hosts.push(this.#addHost(index, index < scripted ? "scripted" : "real", repository));
    }
    for (const host of this.hosts) {
      host.play(4, undefined);
      host.lay(0, 4);
      await this.enroll(host);
      await host.keeper.up();
    }
    for (const host of this.hosts)
      await until(`the repository of h${host.index} is ready`, async () => {
        const look = this.server.api.call("GET", `/api/hosts/${host.id}`, Host);
        const { repository } = await this.answer(look);
        if (repository.state === "failed") throw new Error(repository.error.message);
        return repository.state === "ready";
      });
  }

  #addHost(index: number, kind: "scripted" | "real", repository: Repository): ChaosHost {
    const folder = join(this.folder, `h${index}`);
    mkdirSync(folder, { recursive: true });
    // Half of the scripted ones: their restic needs no room of its own.
    const disk =
      kind === "scripted" && index % 2 === 0
        ? this.#disk(join(`h${index}`, "disk"), OUTBOX_MB, ["fill_outbox"])
        : undefined;
    const wire = new Wire(Number(new URL(this.server.origin).port));
    const distortion = this.#distortion(`h${index}`);
    const zone = this.era.zone;
    return new ChaosHost({
      index,
      name: `h${index}`,
      folder,
      wire,
      distortion,
      disk,
      kind,
      repository,
      zone,
    });
  }

  async #token(name: string, repository: Repository, source: string): Promise<EnrollmentToken> {
    const { url, username, password, repositoryPassword } = repository;
    const made = await this.answer(
      this.server.api.call("POST", "/api/enrollment-tokens", EnrollmentToken, {
        host_name: name,
        repository_url: url,
        repository_password: repositoryPassword,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        includes: [source],
      }),
    );
    this.secrets.add(`enrolment token of ${name}`, made.token);
    return made;
  }

  async #signIn(): Promise<void> {
    const [, setupToken = ""] = await this.server.says(/\/setup\?token=(\S+)/);
    this.secrets.add("set-up token", setupToken, ["server.log"]);
    await this.server.setUp();
    this.secrets.add("administrator's password", ADMIN.password);
    const answer = await fetch(`${this.server.origin}/api/session`, {
      method: "POST",
      headers: { Origin: this.server.origin, "Content-Type": "application/json" },
      body: JSON.stringify(ADMIN),
    });
    const [cookie = ""] = answer.headers.getSetCookie();
    this.secrets.add("session", cookie.split(";", 1)[0]?.split("=")[1] ?? "");
    const key = await Bun.file(join(this.server.dataDir, "secret.key")).text();
    this.secrets.add("secret key", Buffer.from(key.trim(), "base64"), ["secret.key"]);
    await this.answer(this.server.api.call("GET", "/api/hosts", HostsPage));
  }

  #disk(name: string, megabytes: number, needs: ActionKind[]): SmallDisk | undefined {
    try {
      return new SmallDisk(join(this.folder, name), megabytes);
    } catch (error) {
      this.#cannot(needs, error instanceof Error ? error.message : "no small disk can be made");
      return undefined;
    }
  }

  #distortion(name: string): Distortion | undefined {
    if (this.#shim === undefined) return undefined;
    return new Distortion(this.#shim, join(this.folder, `${name}.control`), this.era.begin);
  }

  #cannot(kinds: ActionKind[], why: string): void {
    const left = kinds.filter((kind) => this.can.delete(kind));
    if (left.length > 0) this.options.say(`left out: ${left.join(", ")}, because ${why}`);
  }

  /** Only one that is still a restic of this folder: numbers are used again. */
  #killRestic(pid: number): void {
    try {
      if (readFileSync(`/proc/${pid}/environ`, "latin1").includes(this.folder)) kill(pid);
    } catch {
      // It has ended.
    }
  }

  note(line: string): void {
    appendFileSync(join(this.folder, "chaos.log"), `${new Date().toISOString()} ${line}\n`);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
