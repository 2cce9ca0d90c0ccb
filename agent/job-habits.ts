import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import type { JobKind } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";

/** Somebody sits before the screen and waits: these go before what waits, in the order in which they came themselves. */
export const WAITED_FOR: ReadonlySet<string> = new Set<JobKind>(["restore", "diff"]);

/** Kinds that change nothing in a repository: the server knows already what is in it. */
const READS_ONLY: ReadonlySet<string> = new Set<JobKind>(["restore", "diff"]);

/** Ends that say nothing of how far restic had come: its snapshot may have been saved in the last moment. */
const UNSURE: ReadonlySet<JobErrorCode> = new Set<JobErrorCode>(["agent_restarted", "disk_full", "failed"]);

/** Whether a job may have left something in the repository that the server has not heard of. */
export function mayHaveChanged(kind: string, begun: boolean, outcome: JobOutcome): boolean {
  if (READS_ONLY.has(kind)) return false;
  if (!begun) return outcome.state === "succeeded";
  return outcome.state === "failed" ? UNSURE.has(outcome.error.code) : true;
}
