import type { HostId } from "@restic-manager/protocol/ids";
import type { Bus, NodeRequests, NodeTopic } from "../platform/bus.ts";
import type { Database } from "../platform/db/schema.ts";
import { nodesOf } from "./presence-store.ts";

/** Hosts in one message: well below what NATS takes. */
const HOSTS_AT_ONCE = 5_000;

export interface RouterParts {
  db: Database;
  bus: Bus;
  /** This server. */
  node: string;
  /** There is no other server to ask, ever. A list of those that live would be wrong for the first seconds of a new one. */
  alone: boolean;
  onError: (error: unknown) => void;
}

/**
 * Tells the server that has a host's agent what it is to do. Nothing is lost with a message that does not arrive: the store has the
 * job, and whoever has the agent looks there now and then.
 */
export class Router {
  readonly #parts: RouterParts;
  /** With whether a turn on the repository may be needed. */
  readonly #waiting = new Map<HostId, boolean>();
  #running: Promise<void> | undefined;

  constructor(parts: RouterParts) {
    this.#parts = parts;
  }

  /** Something waits for an agent that is not connected here. Hosts that are told of at once are asked for at once. */
  deliver(hostId: HostId, turn: boolean): void {
    if (this.#parts.alone) return;
    this.#waiting.set(hostId, turn || this.#waiting.get(hostId) === true);
    this.#running ??= this.#drain();
  }

  async cancel(request: NodeRequests["link.cancel"]): Promise<void> {
    if (this.#parts.alone) return;
    for (const { node } of await nodesOf(this.#parts.db, [request.hostId]))
      await this.#ask(node, "link.cancel", request);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Tells a server that agents it had came to this one. */
  async replaced(node: string, hosts: NodeRequests["link.replaced"]["hosts"]): Promise<void> {
    await this.#ask(node, "link.replaced", { hosts });
  }

  async #drain(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#waiting.size > 0) {
        const some = new Map(this.#waiting.entries().take(HOSTS_AT_ONCE));
        for (const hostId of some.keys()) this.#waiting.delete(hostId);
        const where = await nodesOf(this.#parts.db, [...some.keys()]);
        const byNode = Map.groupBy(where, (host) => host.node);
        await Promise.all(
          [...byNode].map(([node, hosts]) => {
            const hostIds = hosts.map((host) => host.hostId);
            return this.#ask(node, "link.deliver", { hostIds, turns: hostIds.filter((id) => some.get(id)) });
          }),
        );
      }
    } catch (error) {
      this.#parts.onError(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** Nobody there means offline: what waits is delivered when the agent says hello to any server. */
  async #ask<T extends NodeTopic>(node: string, topic: T, request: NodeRequests[T]): Promise<void> {
    if (node === this.#parts.node) return;
    await this.#parts.bus.request(node, topic, request).catch((error: unknown) => this.#parts.onError(error));
  }
}
