import { Database } from "bun:sqlite";
import { join } from "node:path";
import { Program } from "../../script/trial/program.ts";

const MAIN = join(import.meta.dirname, "../../agent/main.ts");

export interface AgentPlace {
  /** What failures call it. */
  name: string;
  /** Gets the agent's folders and its log. */
  folder: string;
  /** Replaces the state folder, such as by one on a small disk. */
  stateDir?: string | undefined;
  /** Put before the agent's own command line, such as `unshare --mount …`. */
  prefix?: string[] | undefined;
  /** Added to its environment. */
  env?: Record<string, string> | undefined;
}

/** A real agent with folders of its own, which can die and come back. */
export class AgentProcess {
  readonly name: string;
  readonly configDir: string;
  readonly stateDir: string;
  readonly #folder: string;
  readonly #prefix: string[];
  readonly #env: Record<string, string>;
  #program: Program | undefined;

  constructor({ name, folder, stateDir, prefix, env }: AgentPlace) {
    this.name = name;
    this.#folder = folder;
    this.#prefix = prefix ?? [];
    this.#env = env ?? {};
    this.configDir = join(folder, "config");
    this.stateDir = stateDir ?? join(folder, "state");
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** How it died; undefined while it runs and before its first start. */
  get death(): string | undefined {
    return this.#program?.end;
  }

  /** Waits until it has ended and everything it said was read. Answers its exit code. */
  async ended(): Promise<number> {
    const code = await this.#running().exited;
    await this.#running().stop();
    return code;
  }

  /** Turns a token into this agent's identity, as the console's command does. Answers the exit code and what was said. */
  async enroll(
    origin: string,
    token: string,
    restic: string,
    flags: string[] = [],
  ): Promise<{ code: number; said: string }> {
    const command = ["enroll", "--server", origin, "--restic", restic, ...flags];
    const program = this.#spawn(command, { RM_TOKEN: token });
    const code = await program.exited;
    await program.stop();
    return { code, said: program.tail() };
  }

  start(): void {
    this.#program = this.#spawn(["run"]);
  }

  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGTERM" | "SIGKILL"): void {
    this.#running().signal(signal);
  }

  async kill(): Promise<void> {
    this.#running().signal("SIGKILL");
    await this.#running().exited;
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

  /** How a job stands in `agent.db`; undefined when it is not there. */
  stateOf(jobId: string): string | undefined {
    return this.#look((db) => {
      const row = db.query<{ state: string }, [string]>("select state from job where id = ?").get(jobId);
      return row?.state;
    });
  }

  /** The recorded process of a job that runs. */
  pidOf(jobId: string): number | undefined {
    return this.#look((db) => {
      const row = db.query<{ pid: number | null }, [string]>("select pid from job where id = ?").get(jobId);
      return row?.pid ?? undefined;
    });
  }

  /** Frames that wait for the server's acknowledgement. */
  waiting(): number {
    return this.#look((db) => db.query<{ n: number }, []>("select count(*) as n from outbox").get()?.n) ?? 0;
  }

  #look<T>(read: (db: Database) => T): T {
    const db = new Database(join(this.stateDir, "agent.db"), { readonly: true });
    try {
      db.run("pragma busy_timeout = 2000");
      return read(db);
    } finally {
      db.close();
    }
  }

  #spawn(command: string[], env: Record<string, string> = {}): Program {
    const folders = ["--config-dir", this.configDir, "--state-dir", this.stateDir];
    return new Program({
      name: `the agent ${this.name}`,
      argv: [...this.#prefix, process.execPath, MAIN, ...command, ...folders],
      cwd: this.#folder,
      env: { HOME: this.#folder, ...this.#env, ...env },
      logFile: join(this.#folder, `${this.name}.log`),
    });
  }

  #running(): Program {
    if (this.#program === undefined) throw new Error(`the agent ${this.name} was not started`);
    return this.#program;
  }
}
