import { listLocks } from "@restic-manager/restic/commands/list-locks";
import { unlock } from "@restic-manager/restic/commands/unlock";
import { failure, type JobRunner } from "../job-runner.ts";
import { lockStates } from "../past-lock.ts";
import { toJobError } from "../restic-access.ts";

/** Removes left-over locks, or all of them, and says whose they were. */
export const runUnlock: JobRunner<"unlock"> = async ({ remove_all }, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const { context } = restic;
  const hooks = {
    cancel: tools.cancel,
    kill: tools.kill,
    onSpawn: tools.spawned,
    onLog: ({ stream, text }: { stream: "stdout" | "stderr"; text: string }) => tools.log(stream, text),
  };
  const before = await listLocks(context, {}, hooks);
  if (!before.ok) return failure(toJobError(before.error));
  const done = await unlock(context, { removeAll: remove_all }, hooks);
  if (!done.ok) return failure(toJobError(done.error));
  const after = await listLocks(context, {}, hooks);
  if (!after.ok) return failure(toJobError(after.error));
  const now = tools.timers.now();
  return {
    state: "succeeded",
    result: {
      removed_count: done.value.removed,
      found: lockStates(before.value.locks, now),
      remaining: lockStates(after.value.locks, now),
      unreadable_count: after.value.unreadable.length,
    },
  };
};
