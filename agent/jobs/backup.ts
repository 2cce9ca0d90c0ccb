import { ResticId } from "@restic-manager/protocol/ids";
import type { JobInput, JobProgress, JobResult } from "@restic-manager/protocol/jobs";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { backup, type BackupProgress, type BackupResult } from "@restic-manager/restic/commands/backup";
import type { ResticContext } from "@restic-manager/restic/context";
import { failure, type JobRunner, type JobTools } from "../job-runner.ts";
import { watchOpening } from "../opening.ts";
import { betweenHooks } from "./hooked.ts";
import { pastLock } from "../past-lock.ts";
import { speedometer } from "../speedometer.ts";

/** Issues that travel with the result; the log has them all. */
const ISSUES_SENT = 500;
/** Bytes of them as JSON: a frame has 1 MiB, and the job's input may take half of it. */
const ISSUES_BYTES = 256 * 1024;

/** Saves a source group's files. Files that could not be read make it a success with issues, none at all a failure. */
export const runBackup: JobRunner<"backup"> = async (input, tools) => {
  const restic = tools.restic(input.bandwidth);
  if (!restic.ok) return failure(restic.error);
  return betweenHooks(input, tools, restic.context, () => save(restic.context, input, tools));
};

async function save(
  context: ResticContext,
  input: JobInput<"backup">,
  tools: JobTools<"backup">,
): Promise<JobOutcome> {
  const opening = watchOpening(context, tools);
  const speed = speedometer(tools.timers.now);
  let latest = waiting();
  const attempt = (retryLockSeconds: number | undefined) =>
    backup(
      context,
      {
        ...(retryLockSeconds === undefined ? {} : { retryLockSeconds }),
        includes: input.includes,
        excludes: input.excludes,
        tags: [input.source_group_name],
        host: tools.hostName,
      },
      {
        cancel: opening.cancel,
        kill: tools.kill,
        onSpawn: tools.spawned,
        onLog: ({ stream, text }) => tools.log(stream, text),
        onWaiting(cause) {
          latest = { ...latest, waiting_cause: cause?.slice(0, 1_024) };
          if (cause !== undefined) latest.phase = "waiting_for_repository";
          tools.progress(latest);
        },
        onProgress(progress) {
          opening.opened();
          latest = toProgress(progress, speed(progress.bytes_done));
          tools.progress(latest);
        },
      },
    );
  const outcome = await pastLock(context, tools, attempt, (waiting_cause) => {
    latest = { ...latest, phase: "waiting_for_repository", waiting_cause };
    tools.progress(latest);
  });
  opening.end();
  if (outcome.ok) return { state: "succeeded", result: toResult(outcome.value) };
  // The watch stopped restic, not a person: what it found out is the reason.
  const cancelledByPerson = tools.cancel.aborted || tools.kill.aborted;
  return failure(cancelledByPerson ? undefined : (opening.failed ?? outcome.error));
}

function waiting(): JobProgress<"backup"> {
  return {
    phase: "scan",
    files_done: 0,
    bytes_done: 0,
    seconds_elapsed: 0,
    error_count: 0,
    current_files: [],
  };
}

function toProgress(progress: BackupProgress, bytesPerSecond: number | undefined): JobProgress<"backup"> {
  const { seconds_remaining } = progress;
  return {
    phase: progress.bytes_done === 0 ? "scan" : "backup",
    ...(progress.bytes_total > 0 ? { fraction: Math.min(1, Math.max(0, progress.percent / 100)) } : {}),
    files_done: progress.files_done,
    files_total: progress.files_total,
    bytes_done: progress.bytes_done,
    bytes_total: progress.bytes_total,
    seconds_elapsed: Math.round(progress.seconds_elapsed),
    ...(seconds_remaining === undefined ? {} : { seconds_remaining: Math.round(seconds_remaining) }),
    ...(bytesPerSecond === undefined ? {} : { bytes_per_second: bytesPerSecond }),
    error_count: progress.errors,
    current_files: progress.current_files.slice(0, 8).map((path) => path.slice(0, 4_096)),
  };
}

function toResult(value: BackupResult): JobResult<"backup"> {
  const { snapshot_id, total_duration_seconds, damage, issues, ...counts } = value;
  const damaged = damage === undefined ? [] : [{ path: "(repository)", message: damage.slice(0, 1_024) }];
  const listed = issues.slice(0, ISSUES_SENT - damaged.length).map((issue) => ({
    path: issue.path.slice(0, 4_096),
    message: issue.message.slice(0, 1_024),
  }));
  let bytes = 0;
  const sent = listed.filter((issue) => (bytes += Buffer.byteLength(JSON.stringify(issue))) <= ISSUES_BYTES);
  return {
    ...counts,
    ...(snapshot_id === undefined ? {} : { snapshot_id: ResticId.parse(snapshot_id) }),
    duration_seconds: Math.max(0, total_duration_seconds),
    issue_count: value.issue_count + damaged.length,
    issues: [...damaged, ...sent],
  };
}
