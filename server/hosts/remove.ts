import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { ChangeParts } from "./rename.ts";
import { removeHost } from "./store.ts";

/**
 * Forgets a host: its bearer, credentials, jobs and logs. Its repository stays as it is, and so does the agent's program,
 * which is refused from now on.
 *
 * @throws ApiProblem `not_found`.
 */
export async function deleteHost(
  { db, bus, audit }: ChangeParts,
  hostId: HostId,
  actor: UserActor,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const host = await removeHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    await audit.record(trx, {
      actor,
      action: "host.deleted",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { os: host.os, arch: host.arch, snapshots: host.snapshot_count },
    });
  });
  bus.publish("host.removed", { hostId });
}
