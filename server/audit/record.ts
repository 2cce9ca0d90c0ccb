import { z } from "zod";
import type { Audit } from "../platform/audit.ts";
import type { Clock } from "../platform/clock.ts";
import type { Ids } from "../platform/ids.ts";

/** The record of who did what, in the `audit` table. */
export function createAudit(clock: Clock, ids: Ids): Audit {
  return {
    async record(trx, { actor, action, target, detail = {} }) {
      await trx
        .insertInto("audit")
        .values({
          id: ids.mint(z.string()),
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
        })
        .execute();
    },
  };
}
