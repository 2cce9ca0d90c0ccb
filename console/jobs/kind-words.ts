import type { Job } from "@restic-manager/protocol/api/jobs";
import type { JobKind, JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { ComponentType } from "react";

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
  /** In a sentence: `The backup was cancelled`. */
  noun: string;
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
  /** What a cancelled run left behind, in a sentence. */
  left: string;
  /** What a failure left behind, in a sentence or two. */
  Survived: ComponentType<{ job: Extract<JobOf<K>, { state: "failed" }> }>;
  /** What a cancel left behind, in more words than `left`; only for one that had begun. */
  Cancelled?: ComponentType<{ job: Extract<JobOf<K>, { state: "cancelled" }> }>;
  /** Below a failure or a cancel: a report of what had been done by then. */
  Left?: ComponentType<{ job: Extract<JobOf<K>, { state: "failed" | "cancelled" }> }>;
}

/** What a job of this kind came to, or had done when it ended early; undefined for others. The compiler cannot follow the kind. */
export function resultOf<K extends JobKind>(job: Job | undefined, kind: K): JobResult<K> | undefined {
  if (job?.kind !== kind) return undefined;
  if (job.state === "succeeded") return job.result as JobResult<K>;
  return job.state === "failed" || job.state === "cancelled"
    ? (job.left as JobResult<K> | undefined)
    : undefined;
}

/** How far a running job of this kind is; null while it has not said, or when it is another. */
export function progressOf<K extends JobKind>(job: Job | undefined, kind: K): JobProgress<K> | null {
  return job?.kind === kind && job.state === "running" ? (job.progress as JobProgress<K> | null) : null;
}
