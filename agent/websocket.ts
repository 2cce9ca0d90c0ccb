import type { Socket, SocketEvents } from "./link.ts";
import { connectionOptions, type ConnectionSettings } from "./tls.ts";

/** More than this waiting in the socket means that the network takes nothing; the link starts over. */
const BUFFERED_MOST = 16 * 1024 * 1024;

/** Opens WebSockets to the server's `/ws/agent`, with the bearer and the way of judging its certificate. */
export function websocketConnector(options: {
  /** `http(s)://host[:port][/folder]`. */
  server: string;
  bearer: string;
  settings: ConnectionSettings;
}): (events: SocketEvents) => Socket {
  const url = new URL(`${options.server.replace(/^http/, "ws")}/ws/agent`);
  return (events) => {
    const given = new AbortController();
    let socket: WebSocket | undefined;
    let over = false;
    const closed = (code: number, reason: string): void => {
      if (over) return;
      over = true;
      events.closed(code, reason);
    };
    const open = async (): Promise<void> => {
      const connection = await connectionOptions(url, options.settings, given.signal);
      if (over) return;
      const made = new WebSocket(url, {
        headers: { authorization: `Bearer ${options.bearer}` },
        ...connection,
      });
      socket = made;
      let trouble = "";
      made.addEventListener("open", () => events.opened());
      made.addEventListener("message", ({ data }) => {
        if (typeof data === "string") events.message(data);
      });
      made.addEventListener("error", (event) => {
        trouble = "message" in event && typeof event.message === "string" ? event.message : "";
      });
      made.addEventListener("close", ({ code, reason }) => closed(code, reason === "" ? trouble : reason));
    };
    open().catch((error: unknown) => closed(1006, error instanceof Error ? error.message : "cannot connect"));
    return {
      send(data) {
        if (socket?.readyState !== WebSocket.OPEN || socket.bufferedAmount > BUFFERED_MOST) return false;
        socket.send(data);
        return true;
      },
      drop() {
        over = true;
        given.abort();
        // `close` would wait for a peer that may be gone; nothing of ours depends on a goodbye.
        socket?.terminate();
      },
    };
  };
}
