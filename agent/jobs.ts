import type { JobKind } from "@restic-manager/protocol/jobs";
import type { JobRunner } from "./job-runner.ts";
import { runBackup } from "./jobs/backup.ts";
import { runCheck } from "./jobs/check.ts";
import { runDiff } from "./jobs/diff.ts";
import { runForget } from "./jobs/forget.ts";
import { runForgetSnapshots, runTag } from "./jobs/chosen.ts";
import { runInit } from "./jobs/init.ts";
import { runPrune } from "./jobs/prune.ts";
import { runRestore } from "./jobs/restore.ts";
import { runUnlock } from "./jobs/unlock.ts";

export type JobRunners = { [K in JobKind]: JobRunner<K> };

/** Who runs what. A kind that is missing here does not compile. */
export const jobRunners: JobRunners = {
  init: runInit,
  backup: runBackup,
  forget: runForget,
  prune: runPrune,
  check: runCheck,
  unlock: runUnlock,
  restore: runRestore,
  diff: runDiff,
  tag: runTag,
  forget_snapshots: runForgetSnapshots,
};
