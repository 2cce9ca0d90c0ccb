import type { HostId } from "@restic-manager/protocol/ids";
import type { Bus } from "../platform/bus.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { Connection, Reconciliation } from "./connection.ts";
import { nothingTouched, publishTouched, type Touched } from "./touched.ts";

export interface ReconcileParts {
  db: Database;
  bus: Bus;
  finishLost: (trx: Trx, lost: Reconciliation["lost"], touched: Touched) => Promise<void>;
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
}

/** Finishes lost jobs of connections that have now committed all that their agents had to say at their hello. */
export async function reconcile(parts: ReconcileParts, connections: readonly Connection[]): Promise<void> {
  for (const { greeted, hostId } of connections) {
    const due = greeted?.reconciliation;
    if (greeted === undefined || due === undefined || greeted.committed < due.upTo) continue;
    greeted.reconciliation = undefined;
    try {
      const touched = await parts.db.transaction().execute(async (trx) => {
        const now = nothingTouched();
        await parts.finishLost(trx, due.lost, now);
        await parts.refreshHosts(trx, [hostId]);
        return now;
      });
      publishTouched(parts.bus, touched);
    } catch (error) {
      // Tried again with the next tick, or those jobs would be stuck until the agent's next hello.
      greeted.reconciliation = due;
      throw error;
    }
  }
}
