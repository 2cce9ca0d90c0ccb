import { AgentEnrolled } from "@restic-manager/protocol/api/enrolment";
import type { HostId } from "@restic-manager/protocol/ids";
import { ServerMessage } from "@restic-manager/protocol/server-message";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** An enrolled machine whose frames the test writes itself, over a real socket. */
export class RawAgent {
  readonly hostId: HostId;
  readonly heard: ServerMessage[] = [];
  readonly #origin: string;
  readonly #bearer: string;
  #socket: WebSocket | undefined;
  #closed: { code: number; reason: string } | undefined;

  /** Enrols a machine called `name` with a token, as an agent does. */
  static async enroll(stage: Pick<Stage, "token" | "server">, name: string): Promise<RawAgent> {
    const { token } = await stage.token({ name });
    const facts = {
      hostname: name,
      machine_id: "m",
      os: "linux",
      os_name: "x",
      arch: "x64",
      agent_version: "1",
    };
    const body = { token, ...facts };
    const { host_id, bearer } = await stage.server.api.call(
      "POST",
      "/api/agents/enroll",
      AgentEnrolled,
      body,
    );
    return new RawAgent(stage.server.origin, host_id, bearer);
  }

  /** @param origin may be any address that leads to the server. */
  constructor(origin: string, hostId: HostId, bearer: string) {
    this.#origin = origin;
    this.hostId = hostId;
    this.#bearer = bearer;
  }

  /** Opens a socket; nothing is said on it yet. */
  async connect(): Promise<void> {
    const socket = new WebSocket(`${this.#origin.replace("http", "ws")}/ws/agent`, {
      headers: { authorization: `Bearer ${this.#bearer}` },
    });
    this.#socket = socket;
    this.#closed = undefined;
    this.heard.length = 0;
    // An earlier socket may still have something to say.
    const present = (): boolean => this.#socket === socket;
    socket.addEventListener("message", ({ data }) => {
      if (present()) this.heard.push(ServerMessage.parse(JSON.parse(String(data))));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (present()) this.#closed = { code, reason };
    });
    const opened = Promise.withResolvers<void>();
    socket.addEventListener("open", () => opened.resolve());
    socket.addEventListener("error", () => opened.reject(new Error("the socket did not open")));
    await opened.promise;
  }

  /** Connects and says a hello that the server takes. */
  async greet(change: Record<string, unknown> = {}): Promise<void> {
    await this.connect();
    this.say({
      type: "hello",
      protocol_version: 1,
      machine_id: "m",
      epoch: "0".repeat(32),
      outbox: { lowest: 1, highest: 0 },
      jobs: [],
      ...change,
    });
    if (Object.keys(change).length === 0) await this.hears("welcome");
  }

  say(frame: string | Uint8Array<ArrayBuffer> | Record<string, unknown>): void {
    const raw = typeof frame === "string" || frame instanceof Uint8Array;
    this.#socket?.send(raw ? frame : JSON.stringify(frame));
  }

  /** The newest message of a type, as soon as there are `count`. */
  async hears<T extends ServerMessage["type"]>(
    type: T,
    count = 1,
  ): Promise<Extract<ServerMessage, { type: T }>> {
    const isIt = (message: ServerMessage): message is Extract<ServerMessage, { type: T }> =>
      message.type === type;
    return await until(`the server says ${type}`, () => {
      const found = this.heard.filter(isIt);
      return found.length >= count ? found.at(-1) : undefined;
    });
  }

  /** How the server closed the socket. */
  async closed(): Promise<{ code: number; reason: string }> {
    return await until("the socket is closed", () => this.#closed);
  }

  get open(): boolean {
    return this.#closed === undefined && this.#socket?.readyState === WebSocket.OPEN;
  }

  hangUp(): void {
    this.#socket?.terminate();
  }
}
