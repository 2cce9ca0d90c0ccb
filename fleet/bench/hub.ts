import type { AgentConfig } from "@restic-manager/protocol/config";
import { parseAgentFrame, type Durable } from "@restic-manager/protocol/frame";
import type { ServerMessage } from "@restic-manager/protocol/server-message";

/** The least that an agent takes for a server: it greets, hands out one configuration, acknowledges, and lets the bench listen. */
export interface Hub {
  /** `http://127.0.0.1:PORT` */
  url: string;
  /** When the next `hello` arrives, on `performance.now`'s scale. */
  nextHello(): Promise<number>;
  /** The next durable thing for which `wanted` is true, with the moment of its arrival. */
  next<T>(wanted: (durable: Durable) => T | undefined): Promise<{ found: T; at: number }>;
  /** Says something to the agent that is connected. Throws when none is. */
  say(message: ServerMessage): void;
  stop(): Promise<void>;
}

/** @param config what the agent gets once it has said hello; null: it has nothing to do. */
export function startHub(config: AgentConfig | null): Hub {
  let agent: Bun.ServerWebSocket<undefined> | undefined;
  let greeted: ((at: number) => void)[] = [];
  let listeners: ((durable: Durable, at: number) => boolean)[] = [];
  const send = (message: ServerMessage) => agent?.send(JSON.stringify(message));
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, http) =>
      http.upgrade(request, { data: undefined }) ? undefined : new Response("a benchmark", { status: 426 }),
    websocket: {
      message(socket, data) {
        const at = performance.now();
        // The first frame says hello; reading it takes longer than what is measured with it.
        if (socket !== agent) {
          agent = socket;
          const waiting = greeted;
          greeted = [];
          for (const resolve of waiting) resolve(at);
          const server_time = new Date().toISOString();
          send({ type: "welcome", protocol_version: 1, server_time, last_seq: 0, next: "continue" });
          if (config !== null) send({ type: "config.update", config });
          return;
        }
        const frame = parseAgentFrame(data);
        if (frame.type !== "durable") return;
        send({ type: "ack", seq: frame.seq });
        listeners = listeners.filter((listener) => !listener(frame.durable, at));
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    nextHello: () => new Promise((resolve) => greeted.push(resolve)),
    next: (wanted) =>
      new Promise((resolve) => {
        listeners.push((durable, at) => {
          const found = wanted(durable);
          if (found === undefined) return false;
          resolve({ found, at });
          return true;
        });
      }),
    say(message) {
      if (agent === undefined) throw new Error("no agent is connected to the benchmark's hub");
      send(message);
    },
    async stop() {
      await server.stop(true);
    },
  };
}
