import type { Bus } from "../platform/bus.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { turn } from "../platform/turn.ts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Hub } from "./hub.ts";
import { writeOffline, type Gone } from "./presence-store.ts";

/** Most hosts that are marked offline in one transaction: some 15 ms on SQLite, which is what a page waits for meanwhile. */
const AT_ONCE = 128;

export interface LeaverParts {
  db: Database;
  bus: Bus;
  hub: Hub;
  /** Recomputes what is derived from hosts' facts, inside the same transaction. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
}

/** Marks hosts offline whose connections have ended, those that end together in one transaction: a switch takes a thousand with it. */
export class Leavers {
  readonly #parts: LeaverParts;
  #waiting: { gone: Gone; done: PromiseWithResolvers<void> }[] = [];
  #running = false;

  constructor(parts: LeaverParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the host is marked, or was found to have come back, here or elsewhere.
   *
   * @throws what the store throws.
   */
  async left(gone: Gone): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ gone, done });
    if (!this.#running) void this.#drain();
    await done.promise;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      // What ends together is found together only after a turn; and between two batches others have theirs.
      await turn();
      const batch = this.#waiting.splice(0, AT_ONCE);
      try {
        await this.#mark(batch.map(({ gone }) => gone));
        for (const { done } of batch) done.resolve();
      } catch (error) {
        for (const { done } of batch) done.reject(error);
      }
    }
    this.#running = false;
  }

  async #mark(all: readonly Gone[]): Promise<void> {
    const { db, bus, hub, refreshHosts } = this.#parts;
    const marked = await db.transaction().execute(async (trx) => {
      // One may have come back meanwhile; or left while its hello was written down.
      const away = all.filter(({ hostId }) => hub.current(hostId) === undefined);
      const written = await writeOffline(trx, away);
      if (written.length > 0) await refreshHosts(trx, written);
      return written;
    });
    for (const hostId of marked) bus.publish("host.changed", { hostId });
  }
}
