import type { Insertable } from "kysely";
import { z } from "zod";
import type { Audit } from "../platform/audit.ts";
import type { Clock } from "../platform/clock.ts";
import { readyForRows } from "../platform/db/ready.ts";
import type { Tables } from "../platform/db/schema.ts";
import type { Ids } from "../platform/ids.ts";

const AUDIT_ID = z.string();
const insertEntries = readyForRows(
  [
    "id",
    "at",
    "actor_kind",
    "actor_id",
    "actor_name",
    "address",
    "action",
    "target_kind",
    "target_id",
    "target_name",
    "detail",
  ],
  (db, rows: Insertable<Tables["audit"]>[]) => db.insertInto("audit").values(rows),
);

/** The record of who did what, in the `audit` table. */
export function createAudit(clock: Clock, ids: Ids): Audit {
  return {
    async record(trx, { actor, action, target, detail = {} }) {
      const row: Insertable<Tables["audit"]> = {
        id: ids.mint(AUDIT_ID),
        at: clock.now(),
        actor_kind: actor.kind,
        actor_id: actor.id,
        actor_name: actor.name,
        address: actor.address,
        action,
        target_kind: target?.kind ?? null,
        target_id: target?.id ?? null,
        target_name: target?.name ?? null,
        detail: JSON.stringify(detail),
      };
      await insertEntries(trx, [row]);
    },
  };
}
