import type { JobKind } from "@restic-manager/protocol/jobs";
import type { JobRunner } from "./job-runner.ts";
import { runBackup } from "./jobs/backup.ts";
import { runInit } from "./jobs/init.ts";

/** Who runs what. A kind that is missing here does not compile. */
export const jobRunners: { [K in JobKind]: JobRunner<K> } = { init: runInit, backup: runBackup };
