import type { HostId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { StoreTime } from "../platform/db/store-time.ts";
import { NODE_GRACE_MS } from "../platform/lease.ts";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";
import { Leavers } from "./leavers.ts";
import * as store from "./presence-store.ts";

export interface PresenceParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  hub: Hub;
  /** This server. */
  node: string;
  /** By whose clock servers' leases end. */
  time: StoreTime;
  /** Recomputes what is derived from hosts' facts, inside the same transaction. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
  /** Sends an agent its configuration, if it has not the newest. */
  configure: (hostId: HostId) => Promise<void>;
  /** The same for what it fires by itself. */
  schedule: (hostId: HostId) => Promise<void>;
}

/**
 * Writes down who is there and when each host was last heard of. A server judges its own hosts, and those of servers that are dead; which
 * one has a host's agent is in the store, since several may believe it.
 */
export class Presence {
  readonly #parts: PresenceParts;
  readonly #leavers: Leavers;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
    this.#leavers = new Leavers(parts);
  }

  /** Marks a host offline whose connection here has ended, unless it has come back meanwhile, here or elsewhere. */
  async left(connection: Connection): Promise<void> {
    const last = { node: this.#parts.node, connection: connection.number };
    await this.#leavers.left({ hostId: connection.hostId, lastSeenAt: connection.lastFrameAt, last });
  }

  /** Writes down the last sign of life of everybody connected here, and puts right what the store has wrong of them. */
  async writeSeen(): Promise<void> {
    const { db, hub, node } = this.#parts;
    const seen = hub.all().map(({ hostId, lastFrameAt }) => ({ hostId, at: lastFrameAt }));
    await store.writeSeen(db, node, seen);
    await this.compare();
    // A host whose end could not be written down (a full disk) would count as connected for ever.
    await this.forgetAbsent();
  }

  /**
   * Hosts that count as connected and are not are offline: since a restart, since their end could not be written, or since their
   * server died and they came to no other.
   */
  async forgetAbsent(): Promise<void> {
    const { db, hub, node, time } = this.#parts;
    const absent = await store.hostsToJudge(db, node, time, NODE_GRACE_MS);
    await Promise.all(
      absent
        .filter((host) => hub.current(host.id) === undefined)
        .map(({ id, last_seen_at, link_node, link_connection }) =>
          this.#leavers.left({
            hostId: id,
            lastSeenAt: last_seen_at ?? 0,
            last: { node: link_node ?? node, connection: link_connection ?? 0 },
          }),
        ),
    );
  }

  /**
   * Compares every connection here with what the store says of its host, after messages of other servers may have been missed: lets go of
   * those that are at another server now or were removed, brings back those that others took for gone, sends configurations.
   */
  async compare(): Promise<void> {
    const { db, hub, node } = this.#parts;
    // Before the store is asked: one whose hello is taken meanwhile would be missing there.
    const here = hub.all().filter((connection) => connection.greeted !== undefined);
    if (here.length === 0) return;
    const known = new Map((await store.hostsOfNode(db, node)).map((row) => [row.id, row]));
    const elsewhere: Connection[] = [];
    for (const connection of here) {
      if (!hub.isCurrent(connection)) continue;
      const row = known.get(connection.hostId);
      if (row === undefined) elsewhere.push(connection);
      else if (row.online === 0) await this.#bringBack(connection);
      if (row !== undefined && row.config_version !== connection.configVersion)
        await this.#parts.configure(connection.hostId);
      if (row !== undefined && row.schedule_version !== connection.scheduleVersion)
        await this.#parts.schedule(connection.hostId);
    }
    await this.#letGo(elsewhere);
  }

  async #bringBack(connection: Connection): Promise<void> {
    const { db, clock, bus, node } = this.#parts;
    const { hostId, number } = connection;
    const back = await db.transaction().execute(async (trx) => {
      const holder = { node, connection: number };
      if (!(await store.writeOnlineAgain(trx, hostId, clock.now(), holder))) return false;
      await this.#parts.refreshHosts(trx, [hostId]);
      return true;
    });
    if (back) bus.publish("host.changed", { hostId });
  }

  async #letGo(connections: Connection[]): Promise<void> {
    const hosts = await store.existing(
      this.#parts.db,
      connections.map((connection) => connection.hostId),
    );
    for (const connection of connections) {
      if (hosts.has(connection.hostId)) connection.close("replaced");
      else connection.refuse("revoked", "revoked", "This machine was removed from restic-manager.");
    }
  }
}
