import { ResticFound } from "@restic-manager/protocol/restic-found";
import type { Host, HostRow } from "@restic-manager/protocol/api/hosts";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import type { HostRecord } from "../platform/db/schema.ts";
import { readError } from "./facts.ts";
import type { ActiveJob } from "./store.ts";

/** The last progress a running job reported; undefined when there is none. In memory only. */
export type ProgressOf = (jobId: JobId) => Record<string, unknown> | undefined;

/** One row of the fleet table. */
export function hostRow(host: HostRecord, active: ActiveJob | null, progressOf: ProgressOf): HostRow {
  return {
    id: host.id,
    name: host.name,
    status: host.status,
    os: host.os,
    os_name: host.os_name,
    arch: host.arch,
    online: host.online === 1,
    last_seen_at: orNull(host.last_seen_at),
    agent_version: host.agent_version,
    last_backup: lastBackup(host),
    active_job:
      active === null
        ? null
        : {
            id: active.id,
            kind: active.kind,
            state: active.state,
            fraction: fractionOf(progressOf(active.id)),
          },
    protected_bytes: host.protected_bytes,
    stored_bytes: host.stored_bytes,
    snapshot_count: host.snapshot_count,
    paused:
      host.paused_at === null
        ? null
        : { reason: host.paused_reason ?? "", since: instant(host.paused_at), by: host.paused_by ?? "" },
    created_at: instant(host.created_at),
  };
}

/** What of a host's page other rooms know. */
export type HostParts = Pick<Host, "repository" | "credentials" | "stats" | "default_hooks">;

export function hostView(
  host: HostRecord,
  active: ActiveJob | null,
  progressOf: ProgressOf,
  parts: HostParts,
): Host {
  return {
    ...hostRow(host, active, progressOf),
    hostname: host.hostname,
    address: host.address,
    connected_since: host.online === 1 ? orNull(host.connected_since) : null,
    restic: resticOf(host),
    clock_skew_ms: host.clock_skew_ms,
    protocol_version: host.protocol_version,
    ...parts,
    config: { version: host.config_version, applied_version: host.config_applied_version },
    schedules: { version: host.schedule_version, applied_version: host.schedule_applied_version },
    bandwidth: {
      ...(host.upload_kib_per_s === null ? {} : { upload_kib_per_s: host.upload_kib_per_s }),
      ...(host.download_kib_per_s === null ? {} : { download_kib_per_s: host.download_kib_per_s }),
    },
    timezone: host.timezone,
    link_problem: linkProblem(host.link_problem),
  };
}

/** Of each host the job that runs, else the one that waits longest. */
export function activeByHost(jobs: readonly ActiveJob[]): Map<HostId, ActiveJob> {
  const found = new Map<HostId, ActiveJob>();
  for (const job of jobs) {
    const known = found.get(job.host_id);
    if (known === undefined || (known.state === "queued" && job.state === "running"))
      found.set(job.host_id, job);
  }
  return found;
}

function lastBackup(host: HostRecord): HostRow["last_backup"] {
  if (host.last_backup_job_id === null || host.last_backup_state === null || host.last_backup_at === null)
    return null;
  return {
    job_id: host.last_backup_job_id,
    state: host.last_backup_state,
    finished_at: instant(host.last_backup_at),
    duration_ms: host.last_backup_duration_ms,
    issue_count: host.last_backup_issues,
    error: host.last_backup_error === null ? null : readError(host.last_backup_error),
  };
}

function fractionOf(progress: Record<string, unknown> | undefined): number | null {
  const fraction = progress?.["fraction"];
  return typeof fraction === "number" ? fraction : null;
}

function resticOf(host: HostRecord): ResticFound | null {
  if (host.restic_state === null) return null;
  return ResticFound.safeParse({ state: host.restic_state, version: host.restic_version ?? "" }).data ?? null;
}

function linkProblem(json: string | null): Host["link_problem"] {
  if (json === null) return null;
  const { code, message, at } = JSON.parse(json) as { code: unknown; message: unknown; at: unknown };
  const when = typeof at === "number" ? instant(at) : String(at);
  return { code: String(code), message: String(message), at: when };
}

function orNull(ms: number | null): string | null {
  return ms === null ? null : instant(ms);
}
