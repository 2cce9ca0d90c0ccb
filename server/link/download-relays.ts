import type { DownloadEnd } from "@restic-manager/protocol/download";
import type { HostId } from "@restic-manager/protocol/ids";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Bus, DownloadNews } from "../platform/bus.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

interface RelayParts {
  bus: Bus;
  hub: Hub;
  aside: (doing: string, work: Promise<void>) => void;
}

interface Relay {
  hostId: HostId;
  connection: Connection;
  /** The server whose browser waits. */
  to: string;
  /** The last of what was passed on: bytes keep their order. */
  before: Promise<void>;
}

/**
 * Downloads of agents that are connected here, for browsers at other servers. The server that asked grants what may be on its way, so no
 * more than that waits here either.
 */
export class DownloadRelays {
  readonly #parts: RelayParts;
  readonly #relays = new Map<string, Relay>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** True when the bytes were for another server. */
  chunk(connection: Connection, requestId: string, offset: number, bytes: Uint8Array): boolean {
    const relay = this.#relays.get(requestId);
    if (relay?.connection !== connection) return false;
    this.#pass(requestId, relay, { type: "chunk", offset, bytes: Buffer.from(bytes).toString("base64") });
    return true;
  }

  /** True when it was for another server. */
  ended(connection: Connection, end: DownloadEnd): boolean {
    const relay = this.#relays.get(end.request_id);
    if (relay?.connection !== connection) return false;
    this.#relays.delete(end.request_id);
    this.#pass(end.request_id, relay, { type: "end", end });
    return true;
  }

  left(connection: Connection): void {
    for (const [requestId, relay] of this.#relays)
      if (relay.connection === connection) this.#refuse(requestId, relay, "the machine is not connected");
  }

  follow(): (() => void)[] {
    const { bus, hub } = this.#parts;
    return [
      bus.respond("link.download", ({ hostId, from, order }) => {
        const { request_id } = order;
        const known = this.#relays.get(request_id);
        if (order.type !== "download.open") {
          if (known?.hostId !== hostId) return;
          if (order.type === "download.stop") this.#relays.delete(request_id);
          known.connection.send(order);
          return;
        }
        // The bus asks again when it is not sure that it was heard.
        if (known !== undefined) return;
        const connection = hub.current(hostId);
        const relay = { hostId, to: from, before: Promise.resolve() };
        if (connection?.greeted === undefined)
          return this.#refuse(request_id, relay, "the machine is not connected");
        if (connection.protocol < BROWSING_SINCE)
          return this.#refuse(request_id, relay, "the agent is too old for downloads");
        this.#relays.set(request_id, { ...relay, connection });
        connection.send(order);
      }),
    ];
  }

  #refuse(requestId: string, relay: Omit<Relay, "connection">, message: string): void {
    this.#relays.delete(requestId);
    const end = {
      type: "download.failed" as const,
      request_id: requestId,
      error: { code: "failed" as const, message },
    };
    this.#pass(requestId, relay, { type: "end", end });
  }

  #pass(requestId: string, relay: Omit<Relay, "connection">, news: DownloadNews): void {
    const { hostId, to } = relay;
    const work = relay.before.then(async () => {
      await this.#parts.bus.request(to, "link.downloaded", { hostId, requestId, news });
    });
    // What could not be passed on leaves a hole, which the other server sees.
    relay.before = work.catch(() => {});
    this.#parts.aside("pass on a download", work);
  }
}
