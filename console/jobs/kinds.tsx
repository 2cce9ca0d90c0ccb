import type { Job } from "@restic-manager/protocol/api/jobs";
import type { JobKind } from "@restic-manager/protocol/jobs";
import type { ReactNode } from "react";
import { backupKind } from "./backup.tsx";
import { checkKind } from "./check.tsx";
import { diffKind } from "./diff.tsx";
import { forgetSnapshotsKind } from "./forget-snapshots.tsx";
import { forgetKind } from "./forget.tsx";
import { initKind } from "./init.tsx";
import { pruneKind } from "./prune.tsx";
import { unlockKind } from "./unlock.tsx";
import { restoreKind } from "./restore.tsx";
import { tagKind } from "./tag.tsx";
import type { KindWords } from "./kind-words.ts";

/** Every kind of job, in words. */
export const kindWords: { [K in JobKind]: KindWords<K> } = {
  init: initKind,
  backup: backupKind,
  forget: forgetKind,
  prune: pruneKind,
  check: checkKind,
  unlock: unlockKind,
  restore: restoreKind,
  diff: diffKind,
  tag: tagKind,
  forget_snapshots: forgetSnapshotsKind,
};

/** The words of a job's kind. The job is of that kind, which the compiler cannot follow through the table. */
function wordsOf(job: Job): KindWords<JobKind> {
  return kindWords[job.kind] as unknown as KindWords<JobKind>;
}

/** How many items a job left out; 0 unless it succeeded. */
export function issuesOf(job: Job): number {
  return job.state === "succeeded" ? wordsOf(job).issuesOf(job.result) : 0;
}

/** What a job came to, in a few words, for a list. */
export function resultInWords(job: Job): string {
  if (job.state === "succeeded") return wordsOf(job).resultInWords(job.result);
  return job.state === "failed" ? job.error.message : "";
}

export function JobProgressView({ job }: { job: Extract<Job, { state: "running" }> }): ReactNode {
  const { Progress } = wordsOf(job);
  return <Progress job={job} />;
}

export function JobResultView({ job }: { job: Extract<Job, { state: "succeeded" }> }): ReactNode {
  const { Result } = wordsOf(job);
  return <Result job={job} />;
}

export function JobSurvived({ job }: { job: Extract<Job, { state: "failed" }> }): ReactNode {
  const { Survived } = wordsOf(job);
  return <Survived job={job} />;
}

export function JobCancelledWords({ job }: { job: Extract<Job, { state: "cancelled" }> }): ReactNode {
  const { Cancelled, left } = wordsOf(job);
  return Cancelled === undefined ? left : <Cancelled job={job} />;
}

export function JobLeft({ job }: { job: Extract<Job, { state: "failed" | "cancelled" }> }): ReactNode {
  const { Left } = wordsOf(job);
  return Left === undefined ? null : <Left job={job} />;
}
