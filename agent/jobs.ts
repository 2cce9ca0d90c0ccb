import type { JobKind } from "@restic-manager/protocol/jobs";
import type { JobRunner } from "./job-runner.ts";
import { runBackup } from "./jobs/backup.ts";
import { runForgetSnapshots, runTag } from "./jobs/chosen.ts";
import { runDiff } from "./jobs/diff.ts";
import { runInit } from "./jobs/init.ts";
import { runRestore } from "./jobs/restore.ts";

export type JobRunners = { [K in JobKind]: JobRunner<K> };

/** Who runs what. A kind that is missing here does not compile. */
export const jobRunners: JobRunners = {
  init: runInit,
  backup: runBackup,
  restore: runRestore,
  diff: runDiff,
  tag: runTag,
  forget_snapshots: runForgetSnapshots,
};
