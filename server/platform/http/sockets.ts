import type { ClientFacts } from "./client-address.ts";

/** What takes over requests for WebSockets on the server's one port. */
export interface Sockets<Data> {
  /**
   * Undefined when the request was upgraded, an answer when it was refused, null when its path is none of ours.
   *
   * @param client the other end, seen through trusted proxies.
   */
  upgrade(
    request: Request,
    server: Bun.Server<Data>,
    client: ClientFacts,
  ): Response | undefined | null | Promise<Response | undefined | null>;
  websocket: Bun.WebSocketHandler<Data>;
  /** Closes every socket with 1012 "restarting"; resolves when what they have in flight is committed. */
  stop(): Promise<void>;
}
