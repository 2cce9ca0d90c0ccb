import { forgetOldFailures } from "../auth/back-off.ts";
import { endDeadSessions } from "../auth/sessions.ts";
import { giveBackSpace } from "../platform/db/free-space.ts";
import type { Database } from "../platform/db/schema.ts";
import type { RetentionLimits } from "../platform/retention-limits.ts";
import { ROWS_A_STEP, type Broom } from "./broom.ts";
import { dropEpochs, dropParts, dropRejected, nextHosts, thinStats } from "./leftovers-store.ts";
import { deleteAudit } from "./store.ts";

const DAY_MS = 24 * 3600_000;
/** Every measurement of a month, then one a day, after a year one a week: what a chart of that stretch can show. */
const ALL_STATS_MS = 30 * DAY_MS;
const DAILY_STATS_MS = 365 * DAY_MS;
/** An agent that comes back with an older life of its state than these says everything anew, which is safe. */
const EPOCHS_KEPT = 2;
const EPOCH_MS = 30 * DAY_MS;
/** A person looks at rejected frames while the trouble is fresh. */
const REJECTED_MS = 90 * DAY_MS;
/** An agent sends the parts of a list within minutes. */
const PARTS_MS = 7 * DAY_MS;
const HOSTS_A_STEP = 50;

/** Rows that gather beside jobs and logs, host by host, once a day. */
export function leftovers(db: Database): Broom {
  let after = "";
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    what: "leftovers",
    async sweep(now) {
      if (now < restsUntil) return false;
      const hosts = await nextHosts(db, after, HOSTS_A_STEP);
      if (hosts === undefined) {
        after = "";
        restsUntil = now + DAY_MS;
        return false;
      }
      await db.transaction().execute(async (trx) => {
        await thinStats(trx, hosts, now - ALL_STATS_MS, DAY_MS);
        await thinStats(trx, hosts, now - DAILY_STATS_MS, 7 * DAY_MS);
        await dropEpochs(trx, hosts, now - EPOCH_MS, EPOCHS_KEPT);
        await dropRejected(trx, hosts, now - REJECTED_MS);
        await dropParts(trx, hosts, now - PARTS_MS);
      });
      after = hosts.last;
      return true;
    },
  };
}

/** The space that all this has made, when it is much. */
export function freeSpace(db: Database): Broom {
  return { what: "free space", sweep: () => giveBackSpace(db) };
}

/** What was recorded of people's acts, once it is old enough. */
export function oldAudit(db: Database, { auditMs }: RetentionLimits): Broom {
  return {
    what: "old audit rows",
    async sweep(now) {
      if (auditMs === null) return false;
      return (await deleteAudit(db, now - auditMs, ROWS_A_STEP)) >= ROWS_A_STEP;
    },
  };
}

/** Sessions that have ended and failed sign-ins that count no more; both are few. */
export function oldSignIns(db: Database): Broom {
  return {
    what: "ended sessions",
    async sweep(now) {
      await db.transaction().execute(async (trx) => {
        await endDeadSessions(trx, now);
        await forgetOldFailures(trx, now);
      });
      return false;
    },
  };
}
