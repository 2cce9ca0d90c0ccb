import { ResticId } from "@restic-manager/protocol/ids";
import { forgetSnapshots } from "@restic-manager/restic/commands/forget";
import { tag } from "@restic-manager/restic/commands/tag";
import { failure, type JobRunner } from "../job-runner.ts";
import { alone, openFor } from "./alone.ts";

/** Changes the tags of chosen snapshots. */
export const runTag: JobRunner<"tag"> = async (input, tools) => {
  const opened = await openFor(tools, input.use_admin);
  if (!opened.ok) return failure(opened.error);
  const { add, remove, snapshot_ids: ids } = input;
  const done = await alone(opened.context, tools, (lock, hooks) =>
    tag(opened.context, { ids, edit: { add, remove }, ...lock }, hooks),
  );
  if (!done.ok) return failure(done.error);
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
  const opened = await openFor(tools, input.use_admin);
  if (!opened.ok) return failure(opened.error);
  const { snapshot_ids: ids } = input;
  const done = await alone(opened.context, tools, (lock, hooks) =>
    forgetSnapshots(opened.context, { ids, ...lock }, hooks),
  );
  if (!done.ok) return failure(done.error);
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
