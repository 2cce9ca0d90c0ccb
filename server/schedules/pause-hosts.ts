import type { PausedHosts } from "@restic-manager/protocol/api/schedules";
import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import { problemBody, problemOf } from "../platform/http/problem.ts";
import { turn } from "../platform/turn.ts";
import { pauseHost, type ChangeScheduleParts } from "./change.ts";

/**
 * Maintenance mode for many hosts, each in a transaction of its own: one that is refused does not keep the others from it, and the
 * answer says of each what became of it. Null ends it.
 */
export async function pauseHosts(
  parts: ChangeScheduleParts,
  hostIds: readonly HostId[],
  reason: string | null,
  actor: UserActor,
): Promise<PausedHosts["items"]> {
  const items: PausedHosts["items"] = [];
  // In one order, as everybody who changes several hosts.
  for (const hostId of [...new Set(hostIds)].toSorted()) {
    try {
      await pauseHost(parts, hostId, reason, actor);
      items.push({ outcome: "done", host_id: hostId });
    } catch (error) {
      const problem = problemOf(error);
      if (problem.code === "internal") throw error;
      items.push({ outcome: "refused", host_id: hostId, problem: problemBody(problem) });
    }
    await turn();
  }
  return items;
}
