import type { HostId } from "@restic-manager/protocol/ids";
import type { Connection } from "./connection.ts";

/** Who is connected. One connection per host: the newest. */
export class Hub {
  readonly #connections = new Map<HostId, Connection>();

  current(hostId: HostId): Connection | undefined {
    return this.#connections.get(hostId);
  }

  /** True while `connection` is its host's newest: frames of any other are ignored. */
  isCurrent(connection: Connection): boolean {
    return this.#connections.get(connection.hostId) === connection;
  }

  /** Makes `connection` the host's one; an older one is closed and told why. */
  enter(connection: Connection): void {
    const older = this.#connections.get(connection.hostId);
    this.#connections.set(connection.hostId, connection);
    if (older !== undefined && older !== connection) older.close("replaced");
  }

  /** Returns true when it was the host's one, which is then offline. */
  leave(connection: Connection): boolean {
    if (!this.isCurrent(connection)) return false;
    this.#connections.delete(connection.hostId);
    return true;
  }

  all(): Connection[] {
    return [...this.#connections.values()];
  }
}
