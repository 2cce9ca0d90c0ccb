import type { JobInput, JobResult } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import type { ResticContext } from "@restic-manager/restic/context";
import { hookWords, runHook, type HookEnd, type HookFacts } from "../hooks.ts";
import { failure, type JobTools } from "../job-runner.ts";

/**
 * Puts a backup between its hooks. Without the one before there is no backup; the one after always runs and knows how it went. If that
 * one fails, the backup stands and has an issue. A cancel gives the one after a minute, a kill while it runs ends it at once; a kill that
 * came before it was meant for the backup. When the agent itself dies meanwhile, its next life runs the one after (cut-hook.ts).
 */
export async function betweenHooks(
  input: JobInput<"backup">,
  tools: JobTools<"backup">,
  context: ResticContext,
  backup: () => Promise<JobOutcome>,
): Promise<JobOutcome> {
  const hooks = tools.hooks?.(input.source_group_id);
  if (hooks === undefined) return backup();
  tools.hookMark?.begun(tools.jobId);
  const { cancel, kill, timers } = tools;
  const call = (when: "pre" | "post", status: HookFacts["status"]): Promise<HookEnd> => {
    const body = hooks[when];
    if (body === undefined) return Promise.resolve({ ok: true });
    return runHook({
      when,
      body,
      timeoutSeconds: hooks.timeout_seconds,
      facts: { host: tools.hostName, group: input.source_group_name, jobId: tools.jobId, status },
      cwd: context.workDir,
      tmpDir: context.tmpDir,
      ...(when === "pre" ? { cancel } : { hurry: kill.aborted ? kill : cancel }),
      ...(when === "post" && kill.aborted ? {} : { kill }),
      onSpawn: (pid) => tools.hookMark?.spawned(pid),
      log: (text) => tools.log(when === "pre" ? "hook_pre" : "hook_post", text),
      timers,
    });
  };
  const before = await call("pre", "running");
  const wanted = !cancel.aborted && !kill.aborted;
  const outcome =
    wanted && before.ok ? await backup() : failure(wanted && !before.ok ? before.error : undefined);
  const after = await call("post", outcome.state);
  if (after.ok) return outcome;
  const words = hookWords(after.error);
  tools.log("manager", words);
  return outcome.state === "succeeded" ? withIssue(outcome, words) : outcome;
}

/** The first in the list, since the list may be cut at its end. */
function withIssue(outcome: Extract<JobOutcome, { state: "succeeded" }>, message: string): JobOutcome {
  // It is what the backup beside here has made.
  const result = outcome.result as JobResult<"backup">;
  const issues = [{ path: "(hook)", message }, ...result.issues].slice(0, 500);
  return { state: "succeeded", result: { ...result, issue_count: result.issue_count + 1, issues } };
}
