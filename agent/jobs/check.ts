import type { JobResult } from "@restic-manager/protocol/jobs";
import { CHECK_LISTED } from "@restic-manager/protocol/jobs/check";
import { check, type CheckResult } from "@restic-manager/restic/commands/check";
import { failure, type JobRunner } from "../job-runner.ts";
import { alone } from "./alone.ts";

/** Checks the repository. Damage is what it found; a failure is that it could not look. */
export const runCheck: JobRunner<"check"> = async ({ read_data_percent }, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  const began = tools.timers.now();
  const readData = { percent: read_data_percent };
  const done = await alone(restic.context, tools, (lock, hooks) =>
    check(restic.context, { readData, ...lock }, hooks),
  );
  if (!done.ok) return failure(done.error);
  const duration_seconds = Math.max(0, tools.timers.now() - began) / 1_000;
  return {
    state: "succeeded",
    result: { ...bounded(done.value), read_data_percent, duration_seconds } satisfies JobResult<"check">,
  };
};

/** As much as a frame holds beside its envelope. */
function bounded(found: CheckResult) {
  if (found.result === "ok") return found;
  const { errors: error_count, broken_packs, missing_packs, ...rest } = found;
  const some = (list: readonly string[]) => list.slice(0, CHECK_LISTED);
  return {
    ...rest,
    error_count,
    broken_packs: some(broken_packs),
    broken_pack_count: broken_packs.length,
    missing_packs: some(missing_packs),
    missing_pack_count: missing_packs.length,
    broken_indexes: some(found.broken_indexes),
    broken_trees: some(found.broken_trees),
    broken_snapshots: some(found.broken_snapshots),
    messages: some(found.messages).map((text) => text.slice(0, 1_024)),
  };
}
