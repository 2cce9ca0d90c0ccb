import { ResticId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import { forgetSnapshots } from "@restic-manager/restic/commands/forget";
import { tag, type TagResult } from "@restic-manager/restic/commands/tag";
import { failure, type JobRunner } from "../job-runner.ts";
import { alone, openFor } from "./alone.ts";

/**
 * Changes the tags of chosen snapshots. Through an append-only server restic makes each snapshot anew and cannot remove the old one: with
 * everyday credentials it is tried with one of them first, and none of the others is made twice.
 */
export const runTag: JobRunner<"tag"> = async (input, tools) => {
  const opened = await openFor(tools, input.use_admin);
  if (!opened.ok) return failure(opened.error);
  const { add, remove, snapshot_ids: ids } = input;
  const changed: TagResult["changed"] = [];
  const not_found: string[] = [];
  for (const some of input.use_admin ? [ids] : [ids.slice(0, 1), ids.slice(1)]) {
    if (some.length === 0) continue;
    const done = await alone(opened.context, tools, (lock, hooks) =>
      tag(opened.context, { ids: some, edit: { add, remove }, ...lock }, hooks),
    );
    if (!done.ok) return failure(done.error?.code === "append_only" ? leftTwice(done.error) : done.error);
    changed.push(...done.value.changed);
    not_found.push(...done.value.not_found);
  }
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

function leftTwice(error: JobError): JobError {
  const message = `${error.message}. One snapshot is there twice now: as it was, and with the new tags.`;
  return { ...error, message };
}

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
