import type { JobError, JobErrorCode } from "@restic-manager/protocol/job-error";

/** What each code says by itself, for those who may not know what the job was about. */
const SENTENCES: Record<JobErrorCode, string> = {
  repository_missing: "there is no repository at this address",
  repository_locked: "another restic holds the repository's lock",
  wrong_password: "the repository's password does not open it",
  repository_unreachable: "the repository could not be reached",
  repository_damaged: "the repository is damaged",
  repository_full: "the repository's storage is full",
  unauthorized: "the repository refused the credentials",
  append_only: "the repository lets nothing be removed",
  restic_missing: "restic was not found on the machine",
  restic_too_old: "the machine's restic is too old",
  source_missing: "something that should be backed up is not there",
  snapshot_missing: "the snapshot is not in the repository any more",
  path_missing: "something that was picked is not in the snapshot",
  target_refused: "nothing may be written to what was chosen as the target",
  nothing_read: "nothing could be read",
  no_credentials: "the machine has no repository credentials",
  repository_not_ready: "the repository is not ready",
  agent_restarted: "the agent was restarted while it ran",
  agent_lost_job: "the agent does not know of it any more",
  agent_state_lost: "the agent's state was lost",
  agent_outdated: "the machine's agent is too old for it",
  host_removed: "the host was removed",
  given_up: "it was given up",
  invalid_input: "the agent did not accept what was asked for",
  hook_failed: "a hook failed",
  host_offline: "the machine was not connected",
  disk_full: "the disk that was written to is full",
  failed: "it failed",
};

/** The same error in the words of its code alone: messages and hints of restores and comparisons tell paths. */
export function errorWithoutNames({ code, locks }: JobError): JobError {
  return { code, message: SENTENCES[code], ...(locks === undefined ? {} : { locks }) };
}
