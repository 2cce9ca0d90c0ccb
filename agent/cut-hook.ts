import type { Hooks } from "@restic-manager/protocol/config";
import type { SourceGroupId } from "@restic-manager/protocol/ids";
import type { HookMark } from "./hook-mark.ts";
import { hookWords, runHook } from "./hooks.ts";
import type { HeldJob, Journal } from "./journal.ts";
import { LogWriter } from "./log-writer.ts";
import type { Timers } from "./timers.ts";

/** A backup that an earlier life of this agent began. */
export type CutBackup = Extract<HeldJob, { kind: "backup" }>;

export interface CutHookParts {
  journal: Journal;
  mark: Pick<HookMark, "spawned">;
  timers: Timers;
  /** What the agent's configuration holds now: a job's own hooks are in no journal. */
  hooks: (groupId: SourceGroupId) => Hooks | undefined;
  hostName: string;
  cwd: string;
  tmpDir: string;
  /** Aborted when the agent is stopped: the hook has a minute then. */
  stop: AbortSignal;
}

/**
 * Runs the hook after a backup that was cut off with its agent, so that what the hook before it stopped does not stay stopped. What it
 * prints follows in the job's log. At least once: when the agent dies while it runs, the next life ends and repeats it.
 */
export async function runCutHook(job: CutBackup, parts: CutHookParts): Promise<void> {
  const { journal, mark, timers, cwd, tmpDir } = parts;
  const hooks = parts.hooks(job.input.source_group_id);
  if (hooks?.post === undefined) return;
  const writer = new LogWriter({
    jobId: job.id,
    firstLine: job.logLines,
    timers,
    write: (chunk) => journal.log(chunk),
  });
  try {
    const end = await runHook({
      when: "post",
      body: hooks.post,
      timeoutSeconds: hooks.timeout_seconds,
      facts: {
        host: parts.hostName,
        group: job.input.source_group_name,
        jobId: job.id,
        status: "failed",
      },
      cwd,
      tmpDir,
      hurry: parts.stop,
      onSpawn: (pid) => mark.spawned(pid),
      log: (text) => writer.line("hook_post", text),
      timers,
    });
    if (!end.ok) writer.line("manager", hookWords(end.error));
  } finally {
    writer.flush();
  }
}
