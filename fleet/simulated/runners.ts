import { failure, type JobRunner } from "@restic-manager/agent/job-runner";
import type { JobRunners } from "@restic-manager/agent/jobs";
import { ResticId } from "@restic-manager/protocol/ids";
import type { JobProgress } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import type { Identity } from "./identity.ts";
import { pause } from "./pause.ts";
import type { SimulatedRepository } from "./repository.ts";
import type { Story } from "./story.ts";

/** Lines that are written in one turn of the event loop at most. */
const LINES_AT_ONCE = 256;
/** How often a backup that takes its time says something. */
const STEP_MS = 500;

export interface ScriptedParts {
  identity: Identity;
  repository: SimulatedRepository;
  /** How the next backup goes. */
  nextStory: () => Story;
  /** Called at the moment when a real agent would spawn restic. */
  spawning: () => void;
}

/** What stands in the place of restic: the agent's own code around it is the real one. */
export function scriptedRunners({ identity, repository, nextStory, spawning }: ScriptedParts): JobRunners {
  const init: JobRunner<"init"> = async (_input, tools) => {
    const restic = tools.restic();
    if (!restic.ok) return failure(restic.error);
    spawning();
    tools.log("manager", `Opening the repository at ${restic.context.access.url}`);
    tools.rememberRepository(identity.repositoryId);
    const repository_id = ResticId.parse(identity.repositoryId);
    return { state: "succeeded", result: { repository_id, created: false } };
  };

  const backup: JobRunner<"backup"> = async (_input, tools) => {
    const restic = tools.restic();
    if (!restic.ok) return failure(restic.error);
    const story = nextStory();
    const began = tools.timers.now();
    spawning();
    const steps = Math.max(
      1,
      Math.ceil(story.durationMs === 0 ? story.lines.length / LINES_AT_ONCE : story.durationMs / STEP_MS),
    );
    for (let step = 1, written = 0; step <= steps; step += 1) {
      if (story.durationMs > 0) await pause(tools.timers, story.durationMs / steps, tools.cancel);
      else if (step > 1) await new Promise((resolve) => setImmediate(resolve));
      if (tools.cancel.aborted) return { state: "cancelled" };
      const until = Math.round((story.lines.length * step) / steps);
      for (; written < until; written += 1) tools.log("stdout", story.lines[written] ?? "");
      tools.progress(progressOf(story, step / steps, tools.timers.now() - began));
    }
    if (story.end.state === "failed") return story.end;
    const ended = tools.timers.now();
    repository.save(story, began, ended);
    return { state: "succeeded", result: resultOf(story, story.end.issues, ended - began) };
  };
  const prune: JobRunner<"prune"> = () =>
    Promise.resolve({ state: "succeeded", result: { freed_bytes: 0, duration_seconds: 0 } });
  const check: JobRunner<"check"> = ({ read_data_percent }) =>
    Promise.resolve({
      state: "succeeded",
      result: { result: "ok", read_data_percent, hints: [], duration_seconds: 0 },
    });
  const forget: JobRunner<"forget"> = ({ dry_run }) =>
    Promise.resolve({ state: "succeeded", result: { dry_run, groups: [] } });
  const unlock: JobRunner<"unlock"> = () =>
    Promise.resolve({
      state: "succeeded",
      result: { removed_count: 0, found: [], remaining: [], unreadable_count: 0 },
    });
  /** A simulated machine has no files: these only end. */
  const nothing = (): Promise<JobOutcome> =>
    Promise.resolve(failure({ code: "failed", message: "A simulated machine does not do that." }));
  return {
    init,
    backup,
    forget,
    prune,
    check,
    unlock,
    restore: nothing,
    diff: nothing,
    tag: nothing,
    forget_snapshots: nothing,
  };
}

function progressOf(story: Story, fraction: number, elapsedMs: number): JobProgress<"backup"> {
  const files = story.files.new + story.files.changed + story.files.unmodified;
  return {
    phase: "backup",
    fraction,
    files_done: Math.round(files * fraction),
    files_total: files,
    bytes_done: Math.round(story.bytes * fraction),
    bytes_total: story.bytes,
    seconds_elapsed: Math.round(Math.max(0, elapsedMs) / 1_000),
    error_count: 0,
    current_files: story.lines.slice(0, 1).map((line) => line.slice(10, 60)),
  };
}

/** A backup's result in the protocol's words. */
export function resultOf(story: Story, issues: { path: string; message: string }[], durationMs: number) {
  const { new: files_new, changed: files_changed, unmodified: files_unmodified } = story.files;
  return {
    snapshot_id: ResticId.parse(story.snapshotId),
    files_new,
    files_changed,
    files_unmodified,
    dirs_new: 0,
    dirs_changed: 1,
    dirs_unmodified: 9,
    data_added: story.added,
    data_added_packed: story.packed,
    total_files_processed: files_new + files_changed + files_unmodified,
    total_bytes_processed: story.bytes,
    duration_seconds: Math.max(0, durationMs) / 1_000,
    issue_count: issues.length,
    issues,
  };
}
