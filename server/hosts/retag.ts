import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { ChangeParts } from "./rename.ts";
import { readHost, readTags, writeTags } from "./store.ts";

/**
 * Gives a host other tags, in place of all it has.
 *
 * @throws ApiProblem `not_found`.
 */
export async function changeTags(
  { db, bus, audit }: ChangeParts,
  hostId: HostId,
  tags: readonly string[],
  actor: UserActor,
): Promise<void> {
  const changed = await db.transaction().execute(async (trx) => {
    const host = await readHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const before = (await readTags(trx, [hostId])).get(hostId) ?? [];
    if (before.join(" ") === tags.join(" ")) return false;
    await writeTags(trx, hostId, tags);
    await audit.record(trx, {
      actor,
      action: "host.updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { tags: tags.join(" "), tags_before: before.join(" ") },
    });
    return true;
  });
  if (changed) bus.publish("host.changed", { hostId });
}
