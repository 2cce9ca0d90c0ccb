import type { HostStatus } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { HostRecord, Trx } from "../platform/db/schema.ts";
import {
  lockHosts,
  readError,
  readHistories,
  writeDerived,
  type Derived,
  type HostHistory,
} from "./facts.ts";
import { hostStatus, type HostFacts } from "./status.ts";

/** As `refreshHosts`, for one. Answers its status; undefined when there is no such host. */
export async function refreshHost(trx: Trx, hostId: HostId): Promise<HostStatus | undefined> {
  return (await refreshHosts(trx, [hostId])).get(hostId);
}

/**
 * Brings the columns up to date that the fleet page filters and sorts by (`status`, `cause_*`, `last_backup_*`,
 * `last_success_at`). Call it in the transaction that changed a job, the connection or what the agent found, after the
 * change. Costs three reads for up to 64 hosts, and a write for each that did change.
 *
 * @returns the hosts' statuses; those that are not there are left out.
 */
export async function refreshHosts(trx: Trx, hostIds: readonly HostId[]): Promise<Map<HostId, HostStatus>> {
  const statuses = new Map<HostId, HostStatus>();
  const hosts = await lockHosts(trx, hostIds);
  const histories = await readHistories(
    trx,
    hosts.map((host) => host.id),
  );
  for (const host of hosts) {
    const history = histories.get(host.id);
    if (history === undefined) continue;
    const update = derivedColumns(host, history);
    const changed = Object.entries(update).some(
      ([column, value]) => host[column as keyof HostRecord] !== value,
    );
    if (changed) await writeDerived(trx, host.id, update);
    statuses.set(host.id, update.status);
  }
  return statuses;
}

/** What follows from the host's own facts and its jobs. */
export function derivedColumns(host: HostRecord, history: HostHistory): Derived & { status: HostStatus } {
  const { status, rank, cause } = hostStatus(factsOf(host, history));
  const last = history.lastBackup;
  return {
    status,
    status_rank: rank,
    cause_code: cause?.code ?? null,
    cause_message: cause?.message ?? null,
    // The same trouble again is one trouble: it began with the first.
    cause_since: cause === null ? null : cause.code === host.cause_code ? host.cause_since : cause.at,
    last_backup_job_id: last?.id ?? null,
    last_backup_state: endedState(last?.state),
    last_backup_at: last?.finished_at ?? null,
    last_backup_duration_ms: durationOf(last),
    last_backup_issues: last?.issue_count ?? 0,
    last_backup_error: last?.error ?? null,
    last_success_at: history.lastGoodBackup?.finished_at ?? null,
  };
}

function factsOf(host: HostRecord, history: HostHistory): HostFacts {
  const { lastJudgedBackup: judged, lastInit: init } = history;
  const active = history.running ?? history.queued;
  return {
    online: host.online === 1,
    lastSeenAt: host.last_seen_at,
    restic: host.restic_state,
    lastBackup:
      judged === null
        ? null
        : judged.state === "failed"
          ? { state: "failed", at: judged.finished_at ?? 0, error: readError(judged.error) }
          : { state: "succeeded", at: judged.finished_at ?? 0, issues: judged.issue_count },
    failedInit: init?.state === "failed" ? { at: init.finished_at ?? 0, error: readError(init.error) } : null,
    active:
      active === null
        ? null
        : { kind: active.kind, state: active === history.running ? "running" : "queued" },
  };
}

function endedState(state: string | undefined): HostRecord["last_backup_state"] {
  return state === "succeeded" || state === "failed" || state === "cancelled" ? state : null;
}

/** A job whose agent had a wrong clock may end before it began. */
function durationOf(job: HostHistory["lastBackup"]): number | null {
  if (job === null || job.started_at === null || job.finished_at === null) return null;
  return Math.max(0, job.finished_at - job.started_at);
}
