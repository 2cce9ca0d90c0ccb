import { ResticId } from "@restic-manager/protocol/ids";
import { forgetSnapshots } from "@restic-manager/restic/commands/forget";
import { tag } from "@restic-manager/restic/commands/tag";
import type { Hooks } from "@restic-manager/restic/context";
import type { Outcome } from "@restic-manager/restic/error";
import { failure, type JobRunner, type JobTools } from "../job-runner.ts";
import { toJobError } from "../restic-access.ts";

/** Another's lock is waited for as long; then the job fails and can be run again. */
const LOCK_SECONDS = 120;

/** Changes the tags of chosen snapshots. */
export const runTag: JobRunner<"tag"> = async (input, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const { add, remove, snapshot_ids: ids } = input;
  const done = await alone(tools, ids.length, (hooks) =>
    tag(restic.context, { ids, edit: { add, remove }, retryLockSeconds: LOCK_SECONDS }, hooks),
  );
  if (!done.ok) return failure(toJobError(done.error));
  const { changed, not_found } = done.value;
  tools.log("manager", `${changed.length} of ${ids.length} snapshots have other tags now, and so other ids`);
  return {
    state: "succeeded",
    result: {
      changed: changed.map(({ old_id, new_id }) => ({
        old_id: ResticId.parse(old_id),
        new_id: ResticId.parse(new_id),
      })),
      not_found: not_found.map((id) => ResticId.parse(id)),
    },
  };
};

/** Removes chosen snapshots. */
export const runForgetSnapshots: JobRunner<"forget_snapshots"> = async (input, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const { snapshot_ids: ids } = input;
  const done = await alone(tools, ids.length, (hooks) =>
    forgetSnapshots(restic.context, { ids, retryLockSeconds: LOCK_SECONDS }, hooks),
  );
  if (!done.ok) return failure(toJobError(done.error));
  const { removed, not_found, not_removed } = done.value;
  tools.log("manager", `${removed.length} of ${ids.length} snapshots removed; a prune frees their data`);
  const parsed = (some: readonly string[]) => some.map((id) => ResticId.parse(id));
  return {
    state: "succeeded",
    result: {
      removed: parsed(removed),
      not_found: parsed(not_found),
      not_removed: parsed(not_removed),
    },
  };
};

async function alone<T>(
  tools: JobTools<"tag" | "forget_snapshots">,
  total: number,
  work: (hooks: Hooks) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  tools.progress({ phase: "working", done: 0, total });
  return await work({
    cancel: tools.cancel,
    kill: tools.kill,
    onSpawn: tools.spawned,
    onLog: ({ stream, text }) => tools.log(stream, text),
    onWaiting: (cause) =>
      tools.progress({
        phase: cause === undefined ? "working" : "waiting_for_repository",
        done: 0,
        total,
        ...(cause === undefined ? {} : { waiting_cause: cause.slice(0, 1_024) }),
      }),
  });
}
