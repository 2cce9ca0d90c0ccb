import type { Job } from "@restic-manager/protocol/api/jobs";
import { jobKinds, type JobKind, type JobProgress, type JobResult } from "@restic-manager/protocol/jobs";
import { refusal } from "../platform/http/access.ts";
import type { Caller } from "../platform/http/caller.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { errorWithoutNames } from "./error-without-names.ts";

/**
 * Names of things in snapshots are for operators (docs/decisions/looking-into-snapshots.md). Restores and comparisons tell some: of what
 * somebody picked, of what could not be written, of what changed. Everybody may know that they ran, how far they are and their counts.
 */

/** Whether this caller may know what things in snapshots are called. */
export function mayKnowNames(caller: Caller): boolean {
  return refusal("operator", caller) === null;
}

/** Whether jobs of this kind are about things that somebody looked up in a snapshot. */
export function tellsNames(kind: JobKind): boolean {
  return kind === "restore" || kind === "diff";
}

/** @throws ApiProblem `forbidden` when the log of such a job may name what this caller may not know. */
export function checkMayReadLog(kind: JobKind, caller: Caller): void {
  if (tellsNames(kind) && !mayKnowNames(caller))
    throw new ApiProblem("forbidden", `the log of a ${kind} names files: it needs the role operator`);
}

/** The same job without any such name. */
export function withoutNames(job: Job): Job {
  if (job.kind === "restore") {
    if (job.state === "queued") return job;
    if (job.state === "running")
      return { ...job, progress: job.progress === null ? null : progressWithoutNames(job.progress) };
    if (job.state === "succeeded") return { ...job, result: resultWithoutNames(job.result) };
    const left = job.left === undefined ? {} : { left: resultWithoutNames(job.left) };
    if (job.state === "failed") return { ...job, error: errorWithoutNames(job.error), ...left };
    return { ...job, ...left };
  }
  if (job.kind === "diff" && job.state === "succeeded")
    return { ...job, result: { ...jobKinds.diff.result.parse(job.result), folders: [] } };
  if (job.kind === "diff" && job.state === "failed") return { ...job, error: errorWithoutNames(job.error) };
  return job;
}

/** A restore's progress without the file that is written and those that could not be. */
export function progressWithoutNames<P extends Partial<JobProgress<"restore">>>(progress: P): P {
  const counted = { ...progress, errors: [] };
  delete counted.current_file;
  return counted;
}

function resultWithoutNames(result: unknown): JobResult<"restore"> {
  return { ...jobKinds.restore.result.parse(result), issues: [], deleted: [], command: null };
}
