import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { defaultSettings, settingsOf, type MaintenanceRow } from "../maintenance/settings.ts";
import { sourceGroupView } from "../sources/groups.ts";
import { readGroupsOfHosts } from "../sources/store.ts";
import type { HostState } from "./plan.ts";
import { readSchedulesOfHosts, readSettingsOfHosts } from "./store.ts";

/** What these hosts have of what templates are about. A host that is gone has nothing. */
export async function readHostStates(db: Database, ids: readonly HostId[]): Promise<Map<HostId, HostState>> {
  if (ids.length === 0) return new Map();
  const groups = Map.groupBy(await readGroupsOfHosts(db, ids), (row) => row.host_id);
  const { schedules, groups: fired } = await readSchedulesOfHosts(db, ids);
  const settings = new Map((await readSettingsOfHosts(db, ids)).map((row) => [row.host_id, row]));
  const firedBy = Map.groupBy(fired, (row) => row.schedule_id);
  const schedulesOf = Map.groupBy(schedules, (row) => row.host_id);
  return new Map(
    ids.map((hostId): [HostId, HostState] => [
      hostId,
      {
        groups: (groups.get(hostId) ?? []).map((row) => sourceGroupView(row)),
        schedules: (schedulesOf.get(hostId) ?? []).map((row) => ({
          id: row.id,
          cron: row.cron,
          timezone: row.timezone,
          enabled: row.enabled === 1,
          spread_seconds: row.spread_seconds,
          groups: (firedBy.get(row.id) ?? []).map((group) => group.source_group_id),
        })),
        maintenance: maintenanceOf(settings.get(hostId), hostId),
      },
    ]),
  );
}

/** A host without a row has the defaults, as its page says. */
function maintenanceOf(row: MaintenanceRow | undefined, hostId: HostId) {
  return row === undefined ? defaultSettings(hostId) : settingsOf(row);
}
