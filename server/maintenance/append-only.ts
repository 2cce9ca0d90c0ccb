import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { JobError } from "@restic-manager/protocol/job-error";
import { jobKinds } from "@restic-manager/protocol/jobs";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";
import { everydayChoices, everydayDeletions } from "./store.ts";

/** Whether the everyday credentials were refused a deletion, by the newest job that tells. */
export interface AppendOnly {
  seen: boolean;
  /** Milliseconds since 1970. */
  at: number;
  jobId: JobId;
}

/**
 * Reads jobs that remove something with the everyday credentials, newest first. One that failed for another reason tells nothing, as does
 * one that had nothing to remove.
 */
export function readAppendOnly(
  jobs: readonly Pick<JobRecord, "id" | "kind" | "state" | "finished_at" | "error" | "result">[],
): AppendOnly | null {
  for (const job of jobs) {
    const found = { at: job.finished_at ?? 0, jobId: job.id };
    if (job.state === "failed") {
      const error = JobError.safeParse(JSON.parse(job.error ?? "null")).data;
      if (error?.code === "append_only") return { seen: true, ...found };
    }
    if (job.state !== "succeeded") continue;
    if (job.kind === "prune") return { seen: false, ...found };
    if (removedBy(job.kind, JSON.parse(job.result ?? "null")) > 0) return { seen: false, ...found };
  }
  return null;
}

function removedBy(kind: JobRecord["kind"], result: unknown): number {
  if (kind === "forget_snapshots")
    return jobKinds.forget_snapshots.result.safeParse(result).data?.removed.length ?? 0;
  if (kind === "tag") return jobKinds.tag.result.safeParse(result).data?.changed.length ?? 0;
  if (kind !== "forget") return 0;
  return (jobKinds.forget.result.safeParse(result).data?.groups ?? []).reduce(
    (sum, group) => sum + (group.outcome === "done" ? group.removed_count - group.not_removed_count : 0),
    0,
  );
}

/** Whether the newest that a host removed, or could not, with its everyday credentials says that these may only add. */
export async function isAppendOnly(db: Database | Trx, hostId: HostId): Promise<boolean> {
  const jobs = [...(await everydayDeletions(db, [hostId])), ...(await everydayChoices(db, hostId))];
  return readAppendOnly(jobs.toSorted((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0)))?.seen === true;
}
