import type { HostId, JobId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { sourceGroupView } from "./groups.ts";
import { readSourceGroup, type GroupOfHost } from "./store.ts";

export interface RunParts {
  db: Database;
  bus: Bus;
  audit: Audit;
  hasCredentials: (trx: Trx, hostId: HostId) => Promise<boolean>;
  /** Writes the job as queued and refreshes its host; this room tells the bus after the commit. */
  createJob: (trx: Trx, job: GroupJob) => Promise<{ id: JobId }>;
}

export type GroupJob = JobOrder & {
  hostId: HostId;
  actor: UserActor;
  sourceGroup: { id: SourceGroupId; name: string };
};

/**
 * Queues a backup of one source group, as it is now: a later change of the group does not change the job.
 *
 * @param how caps for this run only, and whether it may wait for a machine that is not connected.
 * @throws ApiProblem `not_found`, `no_credentials`, `host_offline`.
 */
export async function runGroup(
  { db, bus, audit, hasCredentials, createJob }: RunParts,
  hostId: HostId,
  groupId: SourceGroupId,
  how: { bandwidth?: Bandwidth | undefined; when_offline: "wait" | "refuse" },
  actor: UserActor,
): Promise<JobId> {
  const jobId = await db.transaction().execute(async (trx) => {
    const row = await readSourceGroup(trx, hostId, groupId);
    if (row === undefined) throw new ApiProblem("not_found", "the host has no such source group");
    if (!(await hasCredentials(trx, hostId))) throw withoutCredentials(row.host_name);
    if (how.when_offline === "refuse" && row.host_online !== 1)
      throw new ApiProblem("host_offline", `${row.host_name} is not connected`, {
        hint: "back it up when it is back: the job then waits for it",
      });
    return await orderBackup({ audit, createJob }, trx, row, how.bandwidth, actor);
  });
  announce(bus, hostId, [jobId]);
  return jobId;
}

/** Queues one group's backup, and records who wanted it. */
export async function orderBackup(
  { audit, createJob }: Pick<RunParts, "audit" | "createJob">,
  trx: Trx,
  row: GroupOfHost,
  bandwidth: Bandwidth | undefined,
  actor: UserActor,
): Promise<JobId> {
  const group = sourceGroupView(row);
  const job = await createJob(trx, {
    kind: "backup",
    input: {
      source_group_id: group.id,
      source_group_name: group.name,
      includes: group.includes,
      excludes: group.excludes,
      ...(bandwidth === undefined ? {} : { bandwidth }),
    },
    hostId: row.host_id,
    actor,
    sourceGroup: { id: group.id, name: group.name },
  });
  await audit.record(trx, {
    actor,
    action: "job.run_now",
    target: { kind: "host", id: row.host_id, name: row.host_name },
    detail: { job_id: job.id, kind: "backup", source_group: group.name },
  });
  return job.id;
}

/** Tells of jobs that were committed, so that they are delivered and shown. */
export function announce(bus: Bus, hostId: HostId, jobIds: readonly JobId[]): void {
  for (const jobId of jobIds) {
    bus.publish("job.queued", { jobId, hostId, kind: "backup" });
    bus.publish("job.changed", { jobId, hostId });
  }
  bus.publish("host.changed", { hostId });
}

export function withoutCredentials(hostName: string): ApiProblem {
  return new ApiProblem("no_credentials", `${hostName} has no repository to back up to`, {
    hint: "enter the repository's address and passwords on the host's page",
  });
}
