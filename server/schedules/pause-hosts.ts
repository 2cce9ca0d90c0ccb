import type { PausedHosts } from "@restic-manager/protocol/api/schedules";
import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import { problemBody, problemOf } from "../platform/http/problem.ts";
import { turn } from "../platform/turn.ts";
import type { Trx } from "../platform/db/schema.ts";
import { pauseHostIn, tellOfChange, type ChangeScheduleParts } from "./change.ts";

/** Hosts that are committed together: a transaction is over in some 20 ms, and waiting for the disk does not count. */
const HOSTS_AT_ONCE = 64;

/**
 * Maintenance mode for many hosts, committed in parts: one that is refused does not keep the others from it, and the answer says of
 * each what became of it. Null ends it.
 */
export async function pauseHosts(
  parts: ChangeScheduleParts,
  hostIds: readonly HostId[],
  reason: string | null,
  actor: UserActor,
): Promise<PausedHosts["items"]> {
  const items: PausedHosts["items"] = [];
  // In one order, as everybody who changes several hosts.
  const all = [...new Set(hostIds)].toSorted();
  for (let from = 0; from < all.length; from += HOSTS_AT_ONCE) {
    const some = all.slice(from, from + HOSTS_AT_ONCE);
    const { changed, done } = await parts.db
      .transaction()
      .execute((trx) => pauseSome(parts, trx, some, reason, actor));
    for (const hostId of changed) tellOfChange(parts.bus, hostId);
    items.push(...done);
    await turn();
  }
  return items;
}

async function pauseSome(
  parts: ChangeScheduleParts,
  trx: Trx,
  hostIds: readonly HostId[],
  reason: string | null,
  actor: UserActor,
): Promise<{ changed: HostId[]; done: PausedHosts["items"] }> {
  const changed: HostId[] = [];
  const done: PausedHosts["items"] = [];
  for (const hostId of hostIds) {
    try {
      if (await pauseHostIn(parts, trx, hostId, reason, actor)) changed.push(hostId);
      done.push({ outcome: "done", host_id: hostId });
    } catch (error) {
      const problem = problemOf(error);
      // A refusal comes before anything of its host was written; the store's own trouble undoes the part.
      if (problem.code === "internal") throw error;
      done.push({ outcome: "refused", host_id: hostId, problem: problemBody(problem) });
    }
  }
  return { changed, done };
}
