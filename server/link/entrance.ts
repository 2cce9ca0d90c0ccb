import { CLOSE } from "@restic-manager/protocol/close";
import type { HostId } from "@restic-manager/protocol/ids";
import { MAX_FRAME_BYTES, OFFLINE_AFTER_MS, WINDOW_BYTES } from "@restic-manager/protocol/limits";
import { isStoreTrouble } from "../platform/db/errors.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Sockets } from "../platform/http/sockets.ts";
import { hashToken } from "../platform/token.ts";
import { Bearers } from "./bearers.ts";
import type { Connection } from "./connection.ts";
import type { Link } from "./link.ts";
import { CLOSE_WORDS, encodeServerMessage, type LinkSocket } from "./socket.ts";

/** What hangs on a socket from its upgrade on. */
export interface SocketData {
  hostId: HostId | undefined;
  address: string | null;
  connection: Connection | undefined;
}

/** The path agents connect to. */
const AGENT_PATH = "/ws/agent";
/** For whoever heeds it; our agents come again by their own patience. */
const RETRY_AFTER_SECONDS = "5";

/** What the entrance tells the server's log. */
export interface EntranceLog {
  onError: (error: unknown) => void;
  /** An agent came with a bearer that is not known, or was revoked. */
  turnedAway: (address: string | null) => void;
  /** Whose bearer it is cannot be found out, since the store is away. */
  storeAway: (error: unknown) => void;
}

/**
 * Lets agents in on the server's one port. A bearer that is not known is upgraded all the same and told why before it is closed,
 * since a WebSocket client sees nothing of a refused upgrade but that it was refused.
 */
export function agentEntrance(
  link: Link,
  db: Database,
  { onError, turnedAway, storeAway }: EntranceLog,
): Sockets<SocketData> {
  const bearers = new Bearers(db);
  return {
    async upgrade(request, server, client) {
      if (new URL(request.url).pathname !== AGENT_PATH) return null;
      const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
      let hostId: HostId | undefined;
      try {
        hostId = bearer === undefined ? undefined : await bearers.hostOf(hashToken(bearer));
      } catch (error) {
        if (!isStoreTrouble(error)) throw error;
        storeAway(error);
        const headers = { "retry-after": RETRY_AFTER_SECONDS };
        return new Response("the server cannot reach its store\n", { status: 503, headers });
      }
      const data: SocketData = { hostId, address: client.address, connection: undefined };
      if (server.upgrade(request, { data })) return undefined;
      return new Response("this address is for agents: connect with a WebSocket\n", { status: 426 });
    },
    websocket: {
      idleTimeout: OFFLINE_AFTER_MS / 1_000,
      sendPings: true,
      maxPayloadLength: MAX_FRAME_BYTES,
      backpressureLimit: 2 * WINDOW_BYTES,
      closeOnBackpressureLimit: false,
      open(ws) {
        const { hostId, address } = ws.data;
        if (hostId === undefined) {
          turnedAway(address);
          return turnAway(ws);
        }
        ws.data.connection = link.opened(hostId, new AgentSocket(ws), address);
      },
      message(ws, message) {
        const { connection } = ws.data;
        if (connection === undefined) return;
        try {
          link.received(connection, message);
        } catch (error) {
          // Thrown out of here it would end the whole server, for every agent.
          onError(error);
          connection.close("malformed");
        }
      },
      close(ws) {
        if (ws.data.connection !== undefined) link.closed(ws.data.connection).catch(onError);
      },
    },
    stop: () => link.stop(),
  };
}

/** A class and no closures: there is one for each agent. */
class AgentSocket implements LinkSocket {
  readonly #ws: Bun.ServerWebSocket<SocketData>;

  constructor(ws: Bun.ServerWebSocket<SocketData>) {
    this.#ws = ws;
  }

  /** 0: dropped, over the limit; what was lost can only be told by starting over. -1: queued, it will go out. */
  send(text: string): boolean {
    return this.#ws.send(text) !== 0;
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }
}

function turnAway(ws: Bun.ServerWebSocket<SocketData>): void {
  const message = "This agent's bearer is not known here, or was revoked. Enrol the machine again.";
  ws.send(encodeServerMessage({ type: "error", code: "revoked", message }));
  ws.close(CLOSE.revoked, CLOSE_WORDS.revoked);
}
