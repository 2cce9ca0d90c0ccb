import type { Hooks } from "@restic-manager/protocol/config";
import type { ResticId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { JobInput, JobKind, JobProgress } from "@restic-manager/protocol/jobs";
import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { LogStream } from "@restic-manager/protocol/log-lines";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import type { ResticContext } from "@restic-manager/restic/context";
import type { HookMark } from "./hook-mark.ts";
import type { TreeReader } from "./browse/tree-reader.ts";
import type { RestorePlaces } from "./restore/target.ts";
import type { Timers } from "./timers.ts";

/** What a job may use while it runs. */
export interface JobTools<K extends JobKind> {
  /** Everything for a restic call, or why there can be none. `admin`: with what came with this job and may delete. */
  restic(
    bandwidth?: Bandwidth,
    slot?: "admin",
  ): { ok: true; context: ResticContext } | { ok: false; error: JobError };
  jobId: string;
  /** What runs before and after a backup of that group. */
  hooks?: (groupId: SourceGroupId) => Hooks | undefined;
  /** Where it is written down that they have begun. */
  hookMark?: Pick<HookMark, "begun" | "spawned">;
  /** Where restores may go; without it there are none. */
  places?: RestorePlaces;
  /** The name that this machine's snapshots carry. */
  hostName: string;
  /** Aborted when somebody cancels: restic is asked to end. */
  cancel: AbortSignal;
  /** Aborted when somebody does not want to wait for that. */
  kill: AbortSignal;
  /** To be called right after each spawn of a restic that writes. */
  spawned: (pid: number) => void;
  log(stream: LogStream, text: string): void;
  /** At most one a second goes to the server; never stored. */
  progress(progress: JobProgress<K>): void;
  /** Writes down what the server must hear of while the job runs. Throws `NoRoom`. */
  tell?: (message: DurableMessage) => void;
  /**
   * Looks into a snapshot's index, which is made first if need be. `look` is called without one when there can be none, and its answer is
   * the answer.
   */
  lookInto?: <T>(
    snapshot: { id: ResticId; tree: ResticId | undefined },
    cancel: AbortSignal,
    look: (reader: TreeReader | undefined) => Promise<T>,
  ) => Promise<T>;
  timers: Timers;
  /** Which repository the everyday credentials open, once that is known. */
  repositoryId?: () => string | undefined;
  /** Remembers which repository the credentials open. */
  rememberRepository(id: string): void;
}

/** Does one job of one kind and says how it ended. Never throws for what restic or the repository do. */
export type JobRunner<K extends JobKind> = (input: JobInput<K>, tools: JobTools<K>) => Promise<JobOutcome>;

/** A failure as an outcome; a cancel of ours is `cancelled`, whatever restic said. */
export function failure(error: JobError | undefined): JobOutcome {
  return error === undefined ? { state: "cancelled" } : { state: "failed", error };
}
