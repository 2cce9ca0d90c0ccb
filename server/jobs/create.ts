import { monotonicFactory } from "ulid";
import { HostId, JobId, type ScheduleId, type SourceGroupId } from "@restic-manager/protocol/ids";
import type { ActorKind, JobOrder } from "@restic-manager/protocol/jobs";
import { JOB_INPUT_BYTES } from "@restic-manager/protocol/limits";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Clock } from "../platform/clock.ts";
import type { Trx } from "../platform/db/schema.ts";
import { insertQueued } from "./store.ts";

/** A job to be made, with who wants it. */
export type NewJob = JobOrder & {
  hostId: HostId;
  actor: { kind: ActorKind; id: string | null; name: string };
  sourceGroup?: { id: SourceGroupId; name: string };
  /** The schedule that somebody runs now: when it goes, so does what waits of it. */
  scheduleId?: ScheduleId;
};

/** Makes job ids that rise with time, also within one millisecond. */
export function jobIds(clock: Clock): () => JobId {
  const next = monotonicFactory();
  return () => JobId.parse(next(clock.now()));
}

/**
 * Writes a job as `queued`. After the commit the caller publishes `job.queued` and `job.changed`, so that it is delivered.
 *
 * @throws ApiProblem `validation_failed` when its input does not fit a frame.
 */
export async function createJob(
  trx: Trx,
  parts: { clock: Clock; nextId: () => JobId },
  job: NewJob,
): Promise<{ id: JobId }> {
  const input = JSON.stringify(job.input);
  // A command travels in one frame; what does not fit would never reach its agent.
  if (Buffer.byteLength(input) > JOB_INPUT_BYTES) {
    throw new ApiProblem(
      "validation_failed",
      "this job has too much to say: its list of paths is over 512 KiB",
      {
        hint: "include a folder instead of its files, or split the source group",
      },
    );
  }
  const id = parts.nextId();
  await insertQueued(trx, {
    id,
    host_id: job.hostId,
    kind: job.kind,
    actor_kind: job.actor.kind,
    actor_id: job.actor.id,
    actor_name: job.actor.name,
    source_group_id: job.sourceGroup?.id ?? null,
    source_group_name: job.sourceGroup?.name ?? null,
    schedule_id: job.scheduleId ?? null,
    input,
    created_at: parts.clock.now(),
  });
  return { id };
}
