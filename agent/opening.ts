import type { JobError } from "@restic-manager/protocol/job-error";
import { catConfig } from "@restic-manager/restic/commands/cat-config";
import type { ResticContext } from "@restic-manager/restic/context";
import { openDeadlineMs } from "@restic-manager/restic/repository";
import { toJobError } from "./restic-access.ts";
import type { Timers } from "./timers.ts";

/** A repository that answers has shown progress by then, unless it is very large. */
const PATIENCE_MS = 4_000;

/** Watches whether restic gets its repository open. */
export interface OpeningWatch {
  /** Hand this to restic instead of the job's own. */
  cancel: AbortSignal;
  /** restic has shown progress: the repository is open. */
  opened(): void;
  /** restic has ended. */
  end(): void;
  /** Why the repository does not open, once that is known. */
  readonly failed: JobError | undefined;
}

/**
 * restic itself retries a repository that does not answer for fifteen minutes. Asking `cat config` before every backup would tell
 * within a minute, at half a second of key derivation each time; so it is asked beside a backup that shows no life for 4 s, and only
 * then. What it answers within 55 s decides: the repository opens and restic is only slow, or the backup ends with that reason.
 */
export function watchOpening(
  context: ResticContext,
  tools: { cancel: AbortSignal; kill: AbortSignal; timers: Timers },
): OpeningWatch {
  const stop = new AbortController();
  const asking = new AbortController();
  let failed: JobError | undefined;
  let over = false;
  const ask = async (): Promise<void> => {
    const cancel = AbortSignal.any([tools.cancel, tools.kill, asking.signal]);
    const answer = await catConfig(
      context,
      { deadlineMs: openDeadlineMs - PATIENCE_MS },
      { cancel, kill: tools.kill },
    );
    if (answer.ok || over) return;
    failed = toJobError(answer.error);
    if (failed !== undefined) stop.abort();
  };
  const timer = tools.timers.after(PATIENCE_MS, () => void ask());
  const end = (): void => {
    over = true;
    timer();
    asking.abort();
  };
  return {
    cancel: AbortSignal.any([tools.cancel, stop.signal]),
    opened: end,
    end,
    get failed() {
      return failed;
    },
  };
}
