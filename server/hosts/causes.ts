import type { JobErrorCode } from "@restic-manager/protocol/job-error";

/** What several hosts have in common when their own messages differ. */
const WORDS: Record<JobErrorCode | "offline" | "issues", string> = {
  repository_missing: "there is no repository at the address",
  repository_locked: "the repository is locked by another operation",
  wrong_password: "the repository exists but the password does not open it",
  repository_unreachable: "the repository cannot be reached",
  repository_damaged: "the repository is damaged",
  repository_full: "the repository's server is full",
  append_only: "the repository's server lets nobody delete with this account",
  unauthorized: "the repository's server refused the account",
  snapshot_missing: "the snapshot is not there any more",
  path_missing: "what was asked for is not in the snapshot",
  target_refused: "the agent may not write where the files were to go",
  restic_missing: "restic is not installed",
  restic_too_old: "restic is too old",
  source_missing: "a folder to back up is not there",
  nothing_read: "nothing of what is to be backed up could be read",
  no_credentials: "the machine has no credentials for its repository",
  repository_not_ready: "the repository has not been opened yet",
  agent_restarted: "the agent was restarted while the job ran",
  agent_lost_job: "the agent came back without the job",
  agent_state_lost: "the agent lost its state",
  agent_outdated: "the agent is too old for this job",
  host_removed: "the host was removed",
  given_up: "nobody waits for the machine any more",
  invalid_input: "the job's input was refused",
  hook_failed: "a hook before the backup failed",
  host_offline: "a backup was given up, since the machine was not connected",
  disk_full: "the machine's disk is full",
  failed: "restic failed",
  offline: "the agent is not connected",
  issues: "the last backup left files out",
};

export function causeInWords(code: string): string {
  return Object.hasOwn(WORDS, code) ? WORDS[code as keyof typeof WORDS] : WORDS.failed;
}
