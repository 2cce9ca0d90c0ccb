import type { JobErrorCode } from "@restic-manager/protocol/job-error";

/** What to do where the agent's report brings no hint of its own. */
const ADVICE: Record<JobErrorCode, string> = {
  repository_missing: "Check the address on the host's page. Opening the repository again creates it there.",
  repository_locked: "Wait for the other run to end, then run it again.",
  wrong_password: "Enter the password this repository was created with, on the host's page under Settings.",
  repository_unreachable:
    "Check that the repository server runs and that this machine can reach its address, then run it again.",
  repository_damaged: "Check the repository before you rely on older snapshots.",
  repository_full: "Free space at the repository server, then run it again.",
  append_only: "Enter the credentials of an account that may delete, on the host's page.",
  unauthorized: "Check user name and password at the repository server, and on the host's page.",
  snapshot_missing: "It was forgotten meanwhile. Choose another snapshot.",
  path_missing: "Look into the snapshot again, and pick what is there.",
  target_refused: "Choose a folder that the agent may write, or let its service write there.",
  restic_missing: "Install restic 0.18.0 or newer on the machine, then run it again.",
  restic_too_old: "Install restic 0.18.0 or newer on the machine, then run it again.",
  source_missing: "Correct the folders of this source group, or bring the missing one back.",
  nothing_read: "Check that the agent may read the folders of this source group.",
  no_credentials: "Enter the repository's address and password on the host's page under Settings.",
  repository_not_ready: "Open the repository on the host's page, then run it again.",
  agent_restarted: "Run it again. A snapshot that was saved nevertheless is in the list.",
  agent_lost_job: "Run it again. A snapshot that was saved nevertheless is in the list.",
  agent_state_lost: "Run it again. A snapshot that was saved nevertheless is in the list.",
  agent_outdated: "Update the agent on this machine.",
  given_up:
    "Run it again once the machine is back. A snapshot that was saved nevertheless is in the list then.",
  host_removed: "The machine has to be added again before it can be backed up.",
  invalid_input: "Correct what the message names, then run it again.",
  hook_failed: "The log below has what the hook printed. Correct it under Sources, then run it again.",
  host_offline: "Run it again when the machine is connected.",
  disk_full: "Free space on the machine's own disk, then run it again.",
  failed: "The log below has restic's own words. Run it again once the cause is gone.",
};

/** What to do about a failure. A code from a newer server gets the general answer. */
export function adviceFor(code: string): string {
  return Object.hasOwn(ADVICE, code) ? ADVICE[code as JobErrorCode] : ADVICE.failed;
}
