import type { ScheduleFire } from "@restic-manager/protocol/schedule-fire";
import type { Epoch, HostId, JobId } from "@restic-manager/protocol/ids";
import type { NewJobRecord, Trx } from "../platform/db/schema.ts";
import { writeFire } from "./store.ts";

/** Writes jobs that an agent has started by itself; those that are known are left as they are. */
export type RecordStarted = (trx: Trx, jobs: NewJobRecord[]) => Promise<JobId[]>;

/**
 * Writes down what an agent fired by itself. A second report of the same fire changes nothing, and one of a schedule or a group that is
 * gone meanwhile still stands: it happened.
 *
 * Instants are the agent's, but never in the future of the server's clock.
 *
 * @returns the jobs that are new here.
 */
export async function recordFire(
  trx: Trx,
  recordStarted: RecordStarted,
  { hostId, epoch, now }: { hostId: HostId; epoch: Epoch; now: number },
  fire: ScheduleFire,
): Promise<JobId[]> {
  const scheduledAt = Date.parse(fire.scheduled_at);
  await writeFire(trx, {
    host_id: hostId,
    schedule_id: fire.schedule_id,
    scheduled_at: scheduledAt,
    fired_at: Math.min(Date.parse(fire.fired_at), now),
    missed_count: fire.catch_up?.missed_count ?? 0,
    missed: JSON.stringify((fire.catch_up?.missed ?? []).map((at) => Date.parse(at))),
    job_ids: JSON.stringify(fire.jobs.map((job) => job.job_id)),
  });
  const at = Math.min(Date.parse(fire.fired_at), now);
  return recordStarted(
    trx,
    fire.jobs.map(({ job_id, source_group_id, source_group_name, input }) => ({
      id: job_id,
      host_id: hostId,
      kind: "backup",
      state: "queued",
      actor_kind: "schedule",
      actor_id: fire.schedule_id,
      actor_name: "schedule",
      source_group_id,
      source_group_name,
      input: JSON.stringify(input ?? { source_group_id, source_group_name }),
      created_at: at,
      // The agent had it before the server knew of it: it is not delivered, and if it goes missing there it is lost.
      sent_at: at,
      sent_epoch: epoch,
      accepted_at: at,
      schedule_id: fire.schedule_id,
      scheduled_at: scheduledAt,
      attempt: fire.attempt,
      missed_count: fire.catch_up?.missed_count ?? 0,
    })),
  );
}
