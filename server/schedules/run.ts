import type { HostId, JobId, ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { sourceGroupView } from "../sources/groups.ts";
import { readSourceGroup } from "../sources/store.ts";
import { readGroupsOf, readScheduleHost, readSchedules } from "./store.ts";

export interface RunScheduleParts {
  db: Database;
  bus: Bus;
  audit: Audit;
  hasCredentials: (trx: Trx, hostId: HostId) => Promise<boolean>;
  /** Writes the job as queued and refreshes its host; this room tells the bus after the commit. */
  createJob: (
    trx: Trx,
    job: JobOrder & {
      hostId: HostId;
      actor: UserActor;
      sourceGroup: { id: SourceGroupId; name: string };
      scheduleId: ScheduleId;
    },
  ) => Promise<{ id: JobId }>;
}

/**
 * Runs what a schedule fires, now, in the name of a person: it is no fire, so the schedule itself goes on as before.
 *
 * @throws ApiProblem `not_found`, `no_credentials`, `host_offline`.
 */
export async function runSchedule(
  { db, bus, audit, hasCredentials, createJob }: RunScheduleParts,
  hostId: HostId,
  id: ScheduleId,
  whenOffline: "wait" | "refuse",
  actor: UserActor,
): Promise<JobId[]> {
  const jobIds = await db.transaction().execute(async (trx) => {
    const host = await readScheduleHost(trx, hostId);
    const schedule = (await readSchedules(trx, hostId)).find((one) => one.id === id);
    if (host === undefined || schedule === undefined)
      throw new ApiProblem("not_found", "the host has no such schedule");
    if (!(await hasCredentials(trx, hostId)))
      throw new ApiProblem("no_credentials", `${host.name} has no repository to back up to`, {
        hint: "enter the repository's address and passwords on the host's page",
      });
    if (whenOffline === "refuse" && host.online !== 1)
      throw new ApiProblem("host_offline", `${host.name} is not connected`, {
        hint: "run it when the machine is back: the jobs then wait for it",
      });
    const made: JobId[] = [];
    for (const { id: groupId } of (await readGroupsOf(trx, hostId)).get(id) ?? []) {
      const row = await readSourceGroup(trx, hostId, groupId);
      if (row === undefined) continue;
      const { name, includes, excludes } = sourceGroupView(row);
      const job = await createJob(trx, {
        kind: "backup",
        input: { source_group_id: groupId, source_group_name: name, includes, excludes },
        hostId,
        actor,
        sourceGroup: { id: groupId, name },
        scheduleId: id,
      });
      made.push(job.id);
    }
    await audit.record(trx, {
      actor,
      action: "job.run_now",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { schedule_id: id, cron: schedule.cron, jobs: made.length },
    });
    return made;
  });
  for (const jobId of jobIds) {
    bus.publish("job.queued", { jobId, hostId, kind: "backup" });
    bus.publish("job.changed", { jobId, hostId });
  }
  bus.publish("host.changed", { hostId });
  return jobIds;
}
