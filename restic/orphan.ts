import { ladder, signalGroup } from "./ladder.ts";
import { isSameProcess, type ProcessIdentity } from "./process-start.ts";
import type { Timers } from "./timers.ts";

export type EndGroupOptions = {
  timers: Timers;
  /** From SIGTERM to SIGKILL, see `killAfterMs`. */
  killAfterMs: number;
};

// We are not its parent, so its end can only be seen by looking.
const lookEveryMs = 100;
/** How long a process may take to vanish after SIGKILL (uninterruptible input or output). */
const afterKillMs = 10_000;

/**
 * Ends the process group of a restic that outlived the agent that started it, by the usual ladder, and only
 * while the pid is still the process that was recorded. `gone`: it had already ended. `survived`: it did not
 * vanish within 10 s of SIGKILL.
 */
export async function endProcessGroup(
  identity: ProcessIdentity,
  { timers, killAfterMs }: EndGroupOptions,
): Promise<"gone" | "interrupted" | "killed" | "survived"> {
  if (!isSameProcess(identity)) return "gone";
  const steps = ladder(timers, killAfterMs, (signal) => {
    if (isSameProcess(identity)) signalGroup(identity.pid, signal);
  });
  const giveUpAt = timers.now() + killAfterMs + afterKillMs;
  steps.interrupt();
  while (isSameProcess(identity)) {
    if (timers.now() >= giveUpAt) return "survived";
    const waited = Promise.withResolvers<void>();
    timers.after(lookEveryMs, waited.resolve);
    await waited.promise;
  }
  steps.done();
  return steps.killed ? "killed" : "interrupted";
}
