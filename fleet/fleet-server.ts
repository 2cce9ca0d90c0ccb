import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "@restic-manager/protocol/api/errors";
import { Program } from "../script/trial/program.ts";
import { seedStore, type SeedOptions } from "./seeded-store.ts";

const MAIN = join(import.meta.dirname, "../server/main.ts");

export interface FleetServerOptions extends Pick<SeedOptions, "hosts" | "seed" | "role" | "more"> {
  /** Its data, its log and (on SQLite) its store lie there. */
  folder: string;
  /** As `RM_DATABASE_URL`, for an empty database; an SQLite file in the folder unless told. */
  databaseUrl?: string;
  /** What runs; `bun server/main.ts` unless told (a compiled server, or bun with `--cpu-prof`). */
  argv?: string[];
  env?: Record<string, string>;
}

/** A real server in a process of its own, on a store that holds a fleet. It listens on every address, for `startAgents`. */
export class FleetServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly databaseUrl: string;
  /** Of a session of that role, for the `Cookie` header. */
  readonly cookie: string;
  readonly #options: FleetServerOptions;
  #program: Program | undefined;

  /** Seeds the store and starts the server; it serves when this comes back. */
  static async start(options: FleetServerOptions): Promise<FleetServer> {
    mkdirSync(options.folder, { recursive: true });
    const databaseUrl = options.databaseUrl ?? `sqlite:${join(options.folder, "server.db")}`;
    const secretKeyFile = join(options.folder, "secret.key");
    const { cookie } = await seedStore({ ...options, databaseUrl, secretKeyFile });
    const server = new FleetServer(options, databaseUrl, cookie);
    await server.start();
    return server;
  }

  /** Starts another server on the same store; it serves when this comes back. */
  static async join(
    first: FleetServer,
    options: Pick<FleetServerOptions, "folder" | "env">,
  ): Promise<FleetServer> {
    mkdirSync(options.folder, { recursive: true });
    const env = { ...options.env, RM_SECRET_KEY_FILE: join(first.#options.folder, "secret.key") };
    const server = new FleetServer({ ...first.#options, ...options, env }, first.databaseUrl, first.cookie);
    await server.start();
    return server;
  }

  private constructor(options: FleetServerOptions, databaseUrl: string, cookie: string) {
    this.#options = options;
    this.databaseUrl = databaseUrl;
    this.cookie = cookie;
    this.port = freePort();
    this.origin = `http://127.0.0.1:${this.port}`;
  }

  /** Of the running process, for fleet/bench/process-figures.ts. */
  get pid(): number {
    return this.#running().pid;
  }

  /** Starts it again, after `stop` or `kill`, at the same address with the same data. */
  async start(): Promise<void> {
    const { folder, argv = [process.execPath, MAIN], env } = this.#options;
    this.#program = new Program({
      name: "the server",
      argv,
      cwd: folder,
      env: {
        RM_LISTEN: `0.0.0.0:${this.port}`,
        RM_DATA_DIR: folder,
        RM_DATABASE_URL: this.databaseUrl,
        RM_BASE_URL: this.origin,
        RM_COOKIE_SECURE: "false",
        ...env,
      },
      logFile: join(folder, "server.log"),
    });
    await this.#program.says(/listens on/);
  }

  /** Asks the API as the signed-in session does. */
  async ask(
    path: string,
    { method = "GET", body }: { method?: string; body?: unknown } = {},
  ): Promise<Response> {
    return await fetch(`${this.origin}${path}`, {
      method,
      headers: {
        origin: this.origin,
        cookie: this.cookie,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /**
   * As `ask`, for an answer of that shape (a zod schema).
   *
   * @throws Error with the API's words for every answer that is no success.
   */
  async call<T>(
    path: string,
    shape: { parse: (value: unknown) => T },
    how: { method?: string; body?: unknown } = {},
  ): Promise<T> {
    const response = await this.ask(path, how);
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return shape.parse(answer);
    throw new Error(`${path} answered ${response.status}: ${Problem.safeParse(answer).data?.message}`);
  }

  tail(): string {
    return this.#program?.tail() ?? "";
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.#running().signal("SIGKILL");
    await this.#running().exited;
  }

  /** Asks it to end and waits. Answers its exit code. */
  async stop(): Promise<number> {
    await this.#running().stop();
    return await this.#running().exited;
  }

  #running(): Program {
    if (this.#program === undefined) throw new Error("the server was not started");
    return this.#program;
  }
}

/** A port that nobody has at this moment. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
