import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { sourceGroupView } from "../sources/groups.ts";
import { readSourceGroups } from "../sources/store.ts";
import { readGroupsOf, readScheduleHost, readSchedules } from "./store.ts";

/** All that a host's agent fires by itself; undefined when there is no such host. */
export async function agentSchedules(db: Database, hostId: HostId): Promise<ScheduleSet | undefined> {
  // In one transaction, so that version and contents are of one moment.
  return db.transaction().execute(async (trx) => {
    const host = await readScheduleHost(trx, hostId);
    if (host === undefined) return undefined;
    const rows = await readSchedules(trx, hostId);
    const groupsOf = await readGroupsOf(trx, hostId);
    const fired = new Set([...groupsOf.values()].flatMap((groups) => groups.map((group) => group.id)));
    const groups = ((await readSourceGroups(trx, hostId)) ?? []).filter((group) => fired.has(group.id));
    return {
      type: "schedule.set",
      version: host.schedule_version,
      paused: host.paused_at !== null,
      schedules: rows.flatMap((row) => {
        const ids = (groupsOf.get(row.id) ?? []).map((group) => group.id);
        if (ids.length === 0) return [];
        const { id, cron, timezone, spread_seconds } = row;
        return { id, cron, timezone, enabled: row.enabled === 1, spread_seconds, source_group_ids: ids };
      }),
      groups: groups.map((row) => {
        const { id, name, includes, excludes, retry_max, retry_backoff_seconds } = sourceGroupView(row);
        return { id, name, includes, excludes, retry_max, retry_backoff_seconds };
      }),
    };
  });
}
