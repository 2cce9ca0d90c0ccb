import { join } from "node:path";
import { apiClient, type ApiClient } from "../../script/trial/api-client.ts";
import { CONSOLE_SERVER } from "../../script/trial/built-console.ts";
import { Program } from "../../script/trial/program.ts";

const MAIN = join(import.meta.dirname, "../../server/main.ts");
export const ADMIN = { username: "admin", password: "a password for tests" } as const;

/** A real server, which can die and come back at the same address with the same data. */
export class ServerProcess {
  readonly origin: string;
  readonly databaseUrl: string;
  readonly dataDir: string;
  /** Signed in as the administrator once `setUp` was called; the session outlives the process. */
  readonly api: ApiClient;
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #argv: string[];
  #program: Program | undefined;

  constructor(parts: {
    folder: string;
    databaseUrl?: string | undefined;
    dataDir?: string | undefined;
    /** More of its environment. */
    env?: Record<string, string> | undefined;
    /** A folder with the built console, to be served as well. */
    console?: string | undefined;
  }) {
    this.#folder = parts.folder;
    this.#env = parts.env ?? {};
    const { console: dist } = parts;
    this.#argv = [process.execPath, ...(dist === undefined ? [MAIN] : [CONSOLE_SERVER, dist])];
    this.dataDir = parts.dataDir ?? join(parts.folder, "server");
    this.databaseUrl = parts.databaseUrl ?? `sqlite:${join(this.dataDir, "server.db")}`;
    this.origin = `http://127.0.0.1:${freePort()}`;
    this.api = apiClient(this.origin);
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** How it died; undefined while it runs and before its first start. */
  get death(): string | undefined {
    return this.#program?.end;
  }

  async start(): Promise<void> {
    this.#program = new Program({
      name: "the server",
      argv: this.#argv,
      cwd: this.#folder,
      env: {
        RM_LISTEN: new URL(this.origin).host,
        RM_DATA_DIR: this.dataDir,
        RM_DATABASE_URL: this.databaseUrl,
        RM_BASE_URL: this.origin,
        RM_COOKIE_SECURE: "false",
        ...this.#env,
      },
      logFile: join(this.#folder, "server.log"),
    });
    await this.#program.says(/listens on/);
  }

  /** Makes the administrator by the one-time address that the first start prints. */
  async setUp(): Promise<void> {
    const [, token] = await this.#running().says(/\/setup\?token=(\S+)/);
    const body = { token, ...ADMIN, base_url: this.origin };
    await this.api.call("POST", "/api/setup", { parse: () => undefined }, body);
  }

  /** Signs in, on a store that has its administrator already. */
  async signIn(): Promise<void> {
    await this.api.call("POST", "/api/session", { parse: () => undefined }, ADMIN);
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#running().signal(signal);
  }

  async kill(): Promise<void> {
    this.#running().signal("SIGKILL");
    await this.#running().exited;
  }

  /** Asks it to end and waits. Answers its exit code. */
  async stop(): Promise<number> {
    await this.#running().stop();
    return await this.#running().exited;
  }

  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#running().says(pattern);
  }

  tail(): string {
    return this.#program?.tail() ?? "";
  }

  /** For the end of a test: nothing is left, whatever state it was in. */
  async end(): Promise<void> {
    this.#program?.signal("SIGKILL");
    await this.#program?.stop();
  }

  #running(): Program {
    if (this.#program === undefined) throw new Error("the server was not started");
    return this.#program;
  }
}

/** A port that nobody has just now. */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
