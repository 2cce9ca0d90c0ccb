import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import { isUniqueViolation } from "../platform/db/errors.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { readHost, renameHost } from "./store.ts";

export interface ChangeParts {
  db: Database;
  bus: Bus;
  audit: Audit;
}

/**
 * Gives a host another name for people. Its snapshots go on carrying the one it was enrolled with, so that its history stays one;
 * its agent need not know. Its old name again changes nothing.
 *
 * @throws ApiProblem `not_found`, `name_taken`.
 */
export async function changeName(
  { db, bus, audit }: ChangeParts,
  hostId: HostId,
  name: string,
  actor: UserActor,
): Promise<void> {
  const change = db.transaction().execute(async (trx) => {
    const host = await readHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    if (host.name === name) return false;
    await renameHost(trx, hostId, name);
    await audit.record(trx, {
      actor,
      action: "host.updated",
      target: { kind: "host", id: hostId, name },
      detail: { name, name_before: host.name },
    });
    return true;
  });
  const changed = await change.catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    throw new ApiProblem("name_taken", `another host is called ${name}`, {
      fields: { name: "another host has this name" },
    });
  });
  if (!changed) return;
  bus.publish("host.changed", { hostId });
}
