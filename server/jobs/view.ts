import { Job, type LogRemoved, type WaitsOn } from "@restic-manager/protocol/api/jobs";
import type { JobId } from "@restic-manager/protocol/ids";
import type { JobKind } from "@restic-manager/protocol/jobs";
import { instant } from "../platform/clock.ts";
import type { JobRecord } from "../platform/db/schema.ts";
import { jobKindsHere } from "./kinds.ts";

/** What a view needs that is not in the job's row. */
export interface JobSurroundings {
  host: { name: string; online: boolean };
  progress: Record<string, unknown> | undefined;
  /** For whom a queued job waits that needs the repository for itself. */
  waitsOn: WaitsOn | undefined;
}

/** A stored job as the API shows it: the union of kind × state, checked on the way out so that no column leaks. */
export function viewJob(job: JobRecord, around: JobSurroundings): Job {
  const at = (ms: number | null): string | null => (ms === null ? null : instant(ms));
  return Job.parse({
    id: job.id satisfies JobId,
    kind: job.kind,
    state: job.state,
    host: { id: job.host_id, name: around.host.name },
    actor: { kind: job.actor_kind, name: job.actor_name },
    source_group:
      job.source_group_id === null ? null : { id: job.source_group_id, name: job.source_group_name ?? "" },
    ...(job.schedule_id === null || job.scheduled_at === null
      ? {}
      : {
          schedule: {
            id: job.schedule_id,
            scheduled_at: instant(job.scheduled_at),
            attempt: job.attempt,
            missed_count: job.missed_count,
          },
        }),
    created_at: instant(job.created_at),
    cancel_requested_at: at(job.cancel_requested_at),
    log: { lines: job.log_lines, missing: job.log_missing, ...logRemoved(job) },
    started_at: at(job.started_at),
    finished_at: at(job.finished_at),
    waits_for: waitsFor(job, around),
    waits_on: around.waitsOn,
    progress: around.progress ?? null,
    ...(job.result === null ? {} : { result: shownResult(job.kind, job.result) }),
    ...(job.left_behind === null ? {} : { left: JSON.parse(job.left_behind) as unknown }),
    ...(job.error === null ? {} : { error: JSON.parse(job.error) as unknown }),
  });
}

function shownResult(kind: JobKind, stored: string): Record<string, unknown> {
  // Validated when it was stored.
  const result = JSON.parse(stored) as Record<string, unknown>;
  return jobKindsHere[kind].shown?.(result) ?? result;
}

/** Since when and why a job's log is not kept any more; nothing while it is. */
export function logRemoved(job: Pick<JobRecord, "log_removed_at" | "log_removed_for">): {
  removed?: LogRemoved;
} {
  if (job.log_removed_at === null) return {};
  return { removed: { at: instant(job.log_removed_at), why: job.log_removed_for ?? "age" } };
}

/** Taken by the agent: its turn has not come. Otherwise the host is away, or the command is on its way. */
function waitsFor(
  job: JobRecord,
  { host, waitsOn }: Pick<JobSurroundings, "host" | "waitsOn">,
): "host_offline" | "delivery" | "turn" | "repository" {
  if (!host.online) return "host_offline";
  if (waitsOn !== undefined) return "repository";
  return job.accepted_at === null ? "delivery" : "turn";
}
