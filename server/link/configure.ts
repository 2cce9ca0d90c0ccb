import type { AgentConfig } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { configVersion } from "./store.ts";

/** Sends agents their configuration. */
export class Configurer {
  readonly #db: Database;
  readonly #hub: Hub;
  readonly #configFor: (hostId: HostId) => Promise<AgentConfig | undefined>;

  constructor(parts: {
    db: Database;
    hub: Hub;
    configFor: (hostId: HostId) => Promise<AgentConfig | undefined>;
  }) {
    this.#db = parts.db;
    this.#hub = parts.hub;
    this.#configFor = parts.configFor;
  }

  /** Sends the newest if the agent has another. One after the other, since the newest must also arrive last. */
  send(hostId: HostId): Promise<void> {
    const connection = this.#hub.current(hostId);
    if (connection === undefined) return Promise.resolve();
    const done = (connection.configuring ?? Promise.resolve()).then(() => this.#sendTo(connection));
    const settled = done
      .catch(() => undefined)
      .then(() => {
        // Ten thousand promises that have nothing left to wait for are kept for no reason.
        if (connection.configuring === settled) connection.configuring = undefined;
      });
    connection.configuring = settled;
    return done;
  }

  async #sendTo(connection: Connection): Promise<void> {
    const { hostId } = connection;
    if (connection.greeted === undefined) connection.missed = true;
    if (connection.greeted === undefined || !this.#hub.isCurrent(connection)) return;
    const version = await configVersion(this.#db, hostId);
    if (version === undefined || version === connection.configVersion) return;
    const config = await this.#configFor(hostId);
    if (config === undefined || config.version === connection.configVersion) return;
    if (connection.send({ type: "config.update", config })) connection.configVersion = config.version;
  }
}
