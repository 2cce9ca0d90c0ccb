import type { Job } from "@restic-manager/protocol/api/jobs";
import type { JobKind, JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { ComponentType, ReactNode } from "react";
import { backupKind } from "./backup.tsx";
import { initKind } from "./init.tsx";

export type JobOf<K extends JobKind> = Extract<Job, { kind: K }>;
/** The protocol's job says "some kind's progress"; here it is this kind's. The same for results. */
export type RunningJob<K extends JobKind> = Omit<Extract<JobOf<K>, { state: "running" }>, "progress"> & {
  progress: JobProgress<K> | null;
};
export type SucceededJob<K extends JobKind> = Omit<Extract<JobOf<K>, { state: "succeeded" }>, "result"> & {
  result: JobResult<K>;
};

/** What the console knows of one kind of job. */
export interface KindWords<K extends JobKind> {
  /** In a list: `Backup`. */
  name: string;
  /** Before the host's name, as a page's title: `Backup of`. */
  title: string;
  /** To start one like it. */
  again: string;
  /** What it came to, in a few words, for a list. */
  resultInWords: (result: JobResult<K>) => string;
  /** How many items were left out. */
  issuesOf: (result: JobResult<K>) => number;
  /** Shown while it runs. */
  Progress: ComponentType<{ job: RunningJob<K> }>;
  /** Shown when it has succeeded. */
  Result: ComponentType<{ job: SucceededJob<K> }>;
  /** What a failure left behind, in a sentence or two. */
  Survived: ComponentType<{ job: Extract<JobOf<K>, { state: "failed" }> }>;
}

/** Every kind of job, in words. */
export const kindWords: { [K in JobKind]: KindWords<K> } = { init: initKind, backup: backupKind };

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
