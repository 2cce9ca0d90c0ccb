import { prune } from "@restic-manager/restic/commands/prune";
import { failure, type JobRunner } from "../job-runner.ts";
import { alone, openFor } from "./alone.ts";

/** Frees what no snapshot needs any more. */
export const runPrune: JobRunner<"prune"> = async ({ use_admin }, tools) => {
  const opened = await openFor(tools, use_admin);
  if (!opened.ok) return failure(opened.error);
  const began = tools.timers.now();
  const done = await alone(opened.context, tools, (lock, hooks) => prune(opened.context, lock, hooks));
  if (!done.ok) return failure(done.error);
  const { dry_run: _planned, ...figures } = done.value;
  const duration_seconds = Math.max(0, tools.timers.now() - began) / 1_000;
  return { state: "succeeded", result: { ...figures, duration_seconds } };
};
