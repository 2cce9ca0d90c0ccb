import { z } from "zod";
import { backup } from "./jobs/backup.ts";
import { check } from "./jobs/check.ts";
import { diff } from "./jobs/diff.ts";
import { forgetSnapshots } from "./jobs/forget-snapshots.ts";
import { forget } from "./jobs/forget.ts";
import { init } from "./jobs/init.ts";
import { prune } from "./jobs/prune.ts";
import { restore } from "./jobs/restore.ts";
import { tag } from "./jobs/tag.ts";
import { unlock } from "./jobs/unlock.ts";

/** What every kind of job brings: what it is told, what it says under way, what it leaves behind. */
interface JobKindShape {
  input: z.ZodObject;
  progress: z.ZodObject;
  /** An object, or a union of objects where there are several ways to succeed. */
  result: z.ZodType<object>;
}

/** THE list of job kinds. A kind is added here and in three registries that then do not compile without it. */
export const jobKinds = {
  init,
  backup,
  forget,
  prune,
  check,
  unlock,
  restore,
  diff,
  tag,
  forget_snapshots: forgetSnapshots,
} as const satisfies Record<string, JobKindShape>;

export type JobKind = keyof typeof jobKinds;
export type JobInput<K extends JobKind = JobKind> = z.infer<(typeof jobKinds)[K]["input"]>;
export type JobProgress<K extends JobKind = JobKind> = z.infer<(typeof jobKinds)[K]["progress"]>;
export type JobResult<K extends JobKind = JobKind> = z.infer<(typeof jobKinds)[K]["result"]>;

export const JobKind = z.enum(Object.keys(jobKinds) as JobKind[]);

/** A job's states; `queued` and `running` are the only ones that can change. */
export const JOB_STATES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** Who caused a job. */
export const ActorKind = z.enum(["user", "schedule", "system"]);
export type ActorKind = z.infer<typeof ActorKind>;

/** A kind together with an input of that kind; what a command carries and an agent stores. */
export type JobOrder = { [K in JobKind]: { kind: K; input: JobInput<K> } }[JobKind];

/** Reads an order of a kind that this release knows; `undefined` when kind or input cannot be read. */
export function parseOrder(kind: string, input: unknown): JobOrder | undefined {
  const known = JobKind.safeParse(kind);
  if (!known.success) return undefined;
  const parsed = jobKinds[known.data].input.safeParse(input);
  // The schema was chosen by the kind, which the compiler cannot follow through a union of schemas.
  return parsed.success ? ({ kind: known.data, input: parsed.data } as JobOrder) : undefined;
}
