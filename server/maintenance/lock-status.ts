import type { LockStatus } from "@restic-manager/protocol/api/repository-page";
import type { JobId } from "@restic-manager/protocol/ids";
import { JobError } from "@restic-manager/protocol/job-error";
import { jobKinds } from "@restic-manager/protocol/jobs";
import type { LockState } from "@restic-manager/protocol/lock-state";
import { instant } from "../platform/clock.ts";
import type { JobRecord } from "../platform/db/schema.ts";

/** A job that ended. */
export type Witness = Pick<JobRecord, "id" | "kind" | "state" | "finished_at" | "error" | "result">;

/**
 * What is known of a repository's locks: from the newest job that says something. One that needed the repository for itself and got it
 * proves that there was no lock in its way.
 */
export function lockStatus(witnesses: readonly Witness[]): LockStatus {
  const newest = witnesses.toSorted((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  for (const job of newest) {
    const said = saidOf(job);
    if (said !== undefined) return said;
  }
  return { state: "unknown" };
}

function saidOf(job: Witness): LockStatus | undefined {
  const at = job.finished_at ?? 0;
  if (job.state === "failed") {
    const error = JobError.safeParse(JSON.parse(job.error ?? "null")).data;
    return error?.code === "repository_locked" ? locked(at, job.id, error.locks ?? []) : undefined;
  }
  if (job.state !== "succeeded") return undefined;
  const free = { state: "free" as const, at: instant(at), job_id: job.id };
  // A preview takes no lock and meets none.
  if (job.kind === "forget") return isPreview(job) ? undefined : free;
  if (job.kind === "prune" || job.kind === "check") return free;
  if (job.kind !== "unlock") return undefined;
  const result = jobKinds.unlock.result.safeParse(JSON.parse(job.result ?? "null")).data;
  if (result === undefined) return undefined;
  return result.remaining.length === 0 && result.unreadable_count === 0
    ? free
    : locked(at, job.id, result.remaining);
}

function isPreview(job: Witness): boolean {
  return jobKinds.forget.result.safeParse(JSON.parse(job.result ?? "null")).data?.dry_run === true;
}

function locked(at: number, job_id: JobId, locks: LockState[]): LockStatus {
  const stale = locks.some((lock) => lock.state !== "live");
  return { state: "locked", at: instant(at), job_id, locks, stale };
}
