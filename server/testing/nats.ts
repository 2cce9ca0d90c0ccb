import { existsSync } from "node:fs";
import { join } from "node:path";

/** A nats-server of the tests' own, on a free port of the loopback. */
export interface NatsServer {
  /** As `RM_NATS_URL`. */
  url: string;
  port: number;
  pid: number;
  /** Ends it as a crash would; ending this process, even by `kill -9`, does the same. */
  stop(): Promise<void>;
}

export interface NatsOptions {
  /** The port of one that was stopped, to come back there; a free one unless told. */
  port?: number;
  /** More of its command line. */
  args?: string[];
}

/** Leaves a watcher behind that ends the server once the process at the other end of its standard input is gone. */
const guarded = `
  exec 3<&0
  ( cat <&3 >/dev/null; kill -9 $$ ) </dev/null >/dev/null 2>&1 &
  exec "$@" 3<&- </dev/null
`;

/**
 * Starts one and waits until it listens.
 *
 * @throws Error with what it printed, if it does not start.
 */
export async function startNats({ port = -1, args = [] }: NatsOptions = {}): Promise<NatsServer> {
  const argv = [natsProgram(), "--addr", "127.0.0.1", "--port", String(port), ...args];
  const server = Bun.spawn(["/bin/sh", "-c", guarded, "guarded", ...argv], {
    env: { PATH: "/usr/bin:/bin" },
    // A group of its own: a Ctrl-C in the terminal must not end it under the tests that still run.
    detached: true,
    stdin: "pipe",
    stdout: "ignore",
    stderr: "pipe",
  });
  const listens = await readPort(server.stderr);
  if (typeof listens === "string") throw new Error(`nats-server did not start: ${listens}`);
  server.unref();
  return {
    url: `nats://127.0.0.1:${listens}`,
    port: listens,
    pid: server.pid,
    async stop() {
      server.kill("SIGKILL");
      await server.exited;
      // The watcher waits for nothing any more.
      await server.stdin.end();
    },
  };
}

/** The port it listens on, or what it said instead. */
async function readPort(stderr: ReadableStream<Uint8Array>): Promise<number | string> {
  const decoder = new TextDecoder();
  const reader = stderr.getReader();
  let said = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return said.trim();
    said += decoder.decode(value, { stream: true });
    const port = /Listening for client connections on [^:\s]+:(\d+)/.exec(said)?.[1];
    if (port === undefined || !said.includes("Server is ready")) continue;
    // An unread pipe would stop the server when it is full.
    void (async () => {
      while (!(await reader.read()).done);
    })();
    return Number(port);
  }
}

/** Debian puts it into /usr/sbin, which is not on a user's PATH; script/setup into `.tools/`. */
function natsProgram(): string {
  const told = process.env["RM_TEST_NATS_SERVER"];
  if (told) return told;
  const tools = join(import.meta.dirname, "../../.tools/nats/nats-server");
  const found = [Bun.which("nats-server"), "/usr/sbin/nats-server", tools].find(
    (path) => path !== null && existsSync(path),
  );
  if (!found) throw new Error("nats-server is missing: run script/setup");
  return found;
}
