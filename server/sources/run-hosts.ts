import type { HostRun } from "@restic-manager/protocol/api/jobs";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { UserActor } from "../audit/actor.ts";
import type { Trx } from "../platform/db/schema.ts";
import { ApiProblem, problemBody, problemOf } from "../platform/http/problem.ts";
import { turn } from "../platform/turn.ts";
import { announce, orderBackup, withoutCredentials, type RunParts } from "./run.ts";
import { readGroupsOfHosts, readHostNames } from "./store.ts";

/**
 * Hosts whose jobs are committed together. Few enough that a transaction is over in some 20 ms, since everything else the server
 * does waits for it; many enough that waiting for the disk does not count.
 */
const HOSTS_AT_ONCE = 64;

/**
 * Queues a backup of every source group of many hosts; a host that cannot be run does not keep the others from it. Committed in
 * parts, between which other work goes on: when the store fails in the middle, what was committed runs, and the answer says of each
 * host what became of it.
 *
 * @throws what the store throws when nothing at all could be queued.
 */
export async function runHosts(
  parts: RunParts,
  hostIds: readonly HostId[],
  bandwidth: Bandwidth | undefined,
  actor: UserActor,
): Promise<HostRun[]> {
  const named = [...new Set(hostIds)];
  const runs: HostRun[] = [];
  for (let from = 0; from < named.length; from += HOSTS_AT_ONCE) {
    const some = named.slice(from, from + HOSTS_AT_ONCE);
    try {
      const queued = await parts.db
        .transaction()
        .execute((trx) => queueSome(parts, trx, some, bandwidth, actor));
      for (const run of queued) if (run.outcome === "queued") announce(parts.bus, run.host_id, run.job_ids);
      runs.push(...queued);
    } catch (error) {
      if (runs.every(({ outcome }) => outcome === "refused")) throw error;
      const problem = problemOf(error);
      return [...runs, ...named.slice(from).map((hostId) => refused(hostId, problem))];
    }
    await turn();
  }
  return runs;
}

async function queueSome(
  parts: RunParts,
  trx: Trx,
  hostIds: readonly HostId[],
  bandwidth: Bandwidth | undefined,
  actor: UserActor,
): Promise<HostRun[]> {
  const names = new Map((await readHostNames(trx, hostIds)).map(({ id, name }) => [id, name]));
  const groups = Map.groupBy(await readGroupsOfHosts(trx, hostIds), ({ host_id }) => host_id);
  const runs = new Map<HostId, HostRun>();
  // In one order, as everybody who locks several hosts on PostgreSQL.
  for (const hostId of hostIds.toSorted()) {
    const name = names.get(hostId);
    const own = groups.get(hostId) ?? [];
    if (name === undefined)
      runs.set(hostId, refused(hostId, new ApiProblem("not_found", "there is no such host")));
    else if (own.length === 0) runs.set(hostId, refused(hostId, withoutGroups(name)));
    else if (!(await parts.hasCredentials(trx, hostId)))
      runs.set(hostId, refused(hostId, withoutCredentials(name)));
    else {
      const jobIds = [];
      for (const group of own)
        jobIds.push(await orderBackup(parts, trx, { ...group, host_name: name }, bandwidth, actor));
      runs.set(hostId, { outcome: "queued", host_id: hostId, job_ids: jobIds });
    }
  }
  return hostIds.flatMap((hostId) => runs.get(hostId) ?? []);
}

function refused(hostId: HostId, problem: ApiProblem): HostRun {
  return { outcome: "refused", host_id: hostId, problem: problemBody(problem) };
}

function withoutGroups(hostName: string): ApiProblem {
  return new ApiProblem("not_found", `${hostName} has no source group: nothing says what to back up`);
}
