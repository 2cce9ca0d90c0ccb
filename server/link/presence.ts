import type { HostId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { Hub } from "./hub.ts";
import * as store from "./store.ts";

export interface PresenceParts {
  db: Database;
  bus: Bus;
  hub: Hub;
  /** Recomputes what is derived from hosts' facts, inside the same transaction. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
}

/** Writes down who is there and when each host was last heard of. */
export class Presence {
  readonly #parts: PresenceParts;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  async markOffline(hostId: HostId, lastSeenAt: number): Promise<void> {
    const gone = await this.#parts.db.transaction().execute(async (trx) => {
      // It may have come back meanwhile; or left while its hello was written down.
      if (this.#parts.hub.current(hostId) !== undefined) return false;
      await store.writeOffline(trx, hostId, lastSeenAt);
      await this.#parts.refreshHosts(trx, [hostId]);
      return true;
    });
    if (gone) this.#parts.bus.publish("host.changed", { hostId });
  }

  /** Writes down the last sign of life of everybody connected. */
  async writeSeen(): Promise<void> {
    const seen = this.#parts.hub.all().map(({ hostId, lastFrameAt }) => ({ hostId, at: lastFrameAt }));
    if (seen.length > 0) await this.#parts.db.transaction().execute((trx) => store.writeSeen(trx, seen));
    // A host whose end could not be written down (a full disk) would count as connected for ever.
    await this.forgetAbsent();
  }

  /** Hosts that count as connected and are not are offline: since a restart, or since their end could not be written. */
  async forgetAbsent(): Promise<void> {
    for (const host of await store.hostsMarkedOnline(this.#parts.db)) {
      if (this.#parts.hub.current(host.id) === undefined)
        await this.markOffline(host.id, host.last_seen_at ?? 0);
    }
  }
}
