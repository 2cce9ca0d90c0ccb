import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { initialise, serverPrograms, unprivilegedOwner } from "../../server/testing/postgres-cluster.ts";
import { Program } from "../../script/trial/program.ts";

const SETTINGS = [
  "listen_addresses=",
  // Processes die here, not machines: what was written is in the kernel's cache, and the tests' disks are spared.
  "fsync=off",
  "max_connections=60",
  "min_wal_size=32MB",
  "max_wal_size=64MB",
];

/** A PostgreSQL that can die and come back with the same data at the same socket. */
export class RestartablePostgres {
  readonly url: string;
  /** The folder of its programs, `pg_dump` among them. */
  readonly programs: string;
  readonly #folder: string;
  readonly #how: { uid?: number; gid?: number; cwd: string; env: Record<string, string> };
  #server: Bun.Subprocess | undefined;

  /** @param folder gets data, socket and log; its path must be short (a socket's has at most 107 bytes). */
  static async start(folder: string): Promise<RestartablePostgres> {
    const postgres = new RestartablePostgres(folder);
    await initialise(postgres.programs, join(folder, "data"), postgres.#how);
    await postgres.start();
    return postgres;
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.programs = process.env["RM_TEST_POSTGRES_BIN"] || serverPrograms();
    const owner = unprivilegedOwner();
    mkdirSync(folder, { recursive: true });
    if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
    this.#how = { ...owner, cwd: folder, env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" } };
    this.url = `postgres://rm@localhost/postgres?host=${encodeURIComponent(folder)}`;
  }

  get running(): boolean {
    return this.#server !== undefined && this.#server.exitCode === null && this.#server.signalCode === null;
  }

  /** Comes back when it accepts connections. Throws with its words when it does not start. */
  async start(): Promise<void> {
    if (this.running) return;
    const settings = SETTINGS.flatMap((one) => ["-c", one]);
    const argv = [join(this.programs, "postgres"), "-D", join(this.#folder, "data"), "-k", this.#folder];
    const server = Bun.spawn([...argv, ...settings], {
      ...this.#how,
      detached: true,
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(this.#folder, "log")),
    });
    this.#server = server;
    const ready = [join(this.programs, "pg_isready"), "-q", "-h", this.#folder, "-t", "2"];
    const late = Date.now() + 30_000;
    while (this.running && Date.now() < late) {
      if (Bun.spawnSync(ready, { env: this.#how.env, stdin: "ignore" }).exitCode === 0) return;
      await Bun.sleep(20);
    }
    throw new Error(`PostgreSQL did not start; see ${join(this.#folder, "log")}`);
  }

  /** `immediate`: as a crash, without a word to its clients; `fast`: it throws them out first. */
  async stop(how: "immediate" | "fast" = "fast"): Promise<void> {
    this.#server?.kill(how === "fast" ? "SIGINT" : "SIGQUIT");
    await this.#server?.exited;
  }

  /** Everything it holds, as SQL. */
  async dump(file: string): Promise<void> {
    const argv = [join(this.programs, "pg_dump"), "-h", this.#folder, "-U", "rm", "-f", file, "postgres"];
    const dump = new Program({ name: "pg_dump", argv, logFile: `${file}.log` });
    if ((await dump.exited) !== 0) throw new Error(`pg_dump failed${dump.tail()}`);
  }
}
