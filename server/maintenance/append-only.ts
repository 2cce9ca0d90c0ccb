import type { JobId } from "@restic-manager/protocol/ids";
import { JobError } from "@restic-manager/protocol/job-error";
import { jobKinds } from "@restic-manager/protocol/jobs";
import type { JobRecord } from "../platform/db/schema.ts";

/** Whether the everyday credentials were refused a deletion, by the newest job that tells. */
export interface AppendOnly {
  seen: boolean;
  /** Milliseconds since 1970. */
  at: number;
  jobId: JobId;
}

/**
 * Reads forgets and prunes with the everyday credentials, newest first. One that failed for another reason tells nothing, as does a forget
 * that had nothing to remove.
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
    const result = jobKinds.forget.result.safeParse(JSON.parse(job.result ?? "null")).data;
    const removed = result?.groups.reduce(
      (sum, group) => sum + (group.outcome === "done" ? group.removed_count - group.not_removed_count : 0),
      0,
    );
    if (removed !== undefined && removed > 0) return { seen: false, ...found };
  }
  return null;
}
