import type { RepoMaintenanceInput } from "@restic-manager/protocol/api/maintenance";
import { spreadMs } from "@restic-manager/protocol/fire-times";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Tables } from "../platform/db/schema.ts";

export type MaintenanceRow = Tables["repo_maintenance"];

/** The defaults lie in the four hours after 01:00, each host at its own minute. */
const WINDOW_SECONDS = 4 * 3_600 - 60;

/**
 * What a host has until somebody changes it: `forget` every night (which does nothing before a source group says what to keep), `prune` and
 * `check` once a week, on different days. Each host at its own times, so that a fleet does not meet.
 */
export function defaultSettings(hostId: HostId): RepoMaintenanceInput {
  const minutes = Math.floor(spreadMs(hostId, "upkeep", WINDOW_SECONDS) / 60_000);
  const weekday = Math.floor(spreadMs(hostId, "weekday", 6) / 1_000);
  const at = (hour: number, days: string) => `${minutes % 60} ${hour + Math.floor(minutes / 60)} * * ${days}`;
  return {
    forget: { cron: at(1, "*"), enabled: true },
    prune: { cron: at(2, String(weekday)), enabled: true },
    check: { cron: at(3, String((weekday + 3) % 7)), enabled: true, read_data_percent: 1 },
  };
}

export function settingsOf(row: MaintenanceRow): RepoMaintenanceInput {
  return {
    forget: { cron: row.forget_cron, enabled: row.forget_enabled === 1 },
    prune: { cron: row.prune_cron, enabled: row.prune_enabled === 1 },
    check: {
      cron: row.check_cron,
      enabled: row.check_enabled === 1,
      read_data_percent: row.check_read_data_percent,
    },
  };
}

/** The columns of settings. */
export function columnsOf({ forget, prune, check }: RepoMaintenanceInput) {
  return {
    forget_cron: forget.cron,
    forget_enabled: forget.enabled ? 1 : 0,
    prune_cron: prune.cron,
    prune_enabled: prune.enabled ? 1 : 0,
    check_cron: check.cron,
    check_enabled: check.enabled ? 1 : 0,
    check_read_data_percent: check.read_data_percent,
  };
}

/** The row of a host that has none. */
export function defaultRow(hostId: HostId, now: number): MaintenanceRow {
  return {
    host_id: hostId,
    ...columnsOf(defaultSettings(hostId)),
    counts_from: now,
    next_look_at: 0,
    updated_at: null,
  };
}
