import { join } from "node:path";
import { readConfig } from "@restic-manager/server/platform/config";
import { until } from "../../e2e/stage/until.ts";
import { Program } from "../../script/trial/program.ts";

/** Why this server has no bus of its own that could be restarted; undefined when it can have one. */
export function whyNoNats(store: "sqlite" | "postgres"): string | undefined {
  if (store === "sqlite") return "a server on SQLite has its bus in its own process";
  const env = { RM_NATS_URL: "nats://127.0.0.1:4222", RM_DATABASE_URL: "postgres://rm@localhost/rm" };
  if (!("nats" in readConfig(env))) return "this server knows no RM_NATS_URL";
  return natsProgram() === undefined ? "no nats-server is installed" : undefined;
}

function natsProgram(): string | undefined {
  return process.env["RM_TEST_NATS_SERVER"] || (Bun.which("nats-server") ?? undefined);
}

/** A NATS server that can die and come back at the same address. */
export class RestartableNats {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  #program: Program | undefined;

  constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  get running(): boolean {
    return this.#program !== undefined && this.#program.end === undefined;
  }

  /** Comes back when it listens. */
  async start(): Promise<void> {
    if (this.running) return;
    const argv = [natsProgram() ?? "nats-server", "-a", "127.0.0.1", "-p", String(this.#port)];
    const logFile = join(this.#folder, "nats.log");
    const program = new Program({ name: "NATS", argv, cwd: this.#folder, logFile });
    this.#program = program;
    await until("NATS listens", async () => {
      await program.mustRun();
      const socket = await Bun.connect({ hostname: "127.0.0.1", port: this.#port, socket: { data() {} } });
      socket.end();
      return true;
    });
  }

  async kill(): Promise<void> {
    this.#program?.signal("SIGKILL");
    await this.#program?.exited;
  }
}
