import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import { countOf } from "../format/numbers.ts";

/** Why a backup failed, in about four words, for a cell. The whole sentence is on the host's and the job's page. */
const WORDS: Record<JobErrorCode, string> = {
  repository_missing: "No repository there",
  repository_locked: "Repository is locked",
  wrong_password: "Repository password refused",
  repository_unreachable: "Repository not reachable",
  repository_damaged: "Repository is damaged",
  repository_full: "Repository server is full",
  append_only: "Repository takes no deletions",
  unauthorized: "Repository account refused",
  snapshot_missing: "Snapshot is gone",
  path_missing: "Not in the snapshot",
  target_refused: "Target was refused",
  restic_missing: "restic is not installed",
  restic_too_old: "restic is too old",
  source_missing: "A folder is missing",
  nothing_read: "Nothing could be read",
  no_credentials: "No repository credentials",
  repository_not_ready: "Repository not opened yet",
  agent_restarted: "Agent restarted during it",
  agent_lost_job: "Agent lost the job",
  agent_state_lost: "Agent lost its state",
  agent_outdated: "Agent is too old",
  given_up: "Given up on",
  host_removed: "Host was removed",
  invalid_input: "Job was refused",
  hook_failed: "Hook before it failed",
  host_offline: "Given up while offline",
  disk_full: "Machine's disk is full",
  failed: "restic failed",
};

export function causeWords(code: JobErrorCode): string {
  return WORDS[code];
}

/** What is wrong with a host, in about four words; null when nothing is. */
export function hostCause(host: HostRow): string | null {
  const last = host.last_backup;
  if (host.status === "restic") return "restic is missing or too old";
  if (host.status === "failed") {
    if (last?.state === "failed" && last.error !== null) return causeWords(last.error.code);
    return host.upkeep_trouble?.sort === "damaged"
      ? "A check found damage"
      : "Repository could not be opened";
  }
  if (host.status === "offline") return "Agent is not connected";
  if (host.status === "issues" && (last?.issue_count ?? 0) === 0 && host.upkeep_trouble)
    return "Maintenance failed";
  if (host.status === "issues" && last !== null) return `${countOf(last.issue_count, "item")} not read`;
  return null;
}
