import type { Host } from "@restic-manager/protocol/api/hosts";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";

/** Why no backup can be started, or null. The server has the last word. */
export function whyNot(
  host: Pick<Host, "repository" | "restic" | "active_job">,
  operate: boolean,
  groups: readonly SourceGroup[] | undefined,
): string | null {
  if (!operate) return "Only operators start backups";
  if (host.repository.state === "no_credentials") return "No credentials yet: enter them under Settings";
  if (host.restic?.state === "missing") return "restic is not installed on this machine";
  if (host.restic?.state === "too_old") return "The restic on this machine is too old";
  if (groups?.length === 0) return "No source group says what to back up";
  if (host.active_job?.kind === "backup") {
    return host.active_job.state === "running" ? "A backup is running" : "A backup is queued";
  }
  return null;
}
