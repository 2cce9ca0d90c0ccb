import { parseCron } from "@restic-manager/protocol/cron";
import { nextFire, spreadMs } from "@restic-manager/protocol/fire-times";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { countGroups, readFiring, type FiringRow } from "./load-store.ts";
import { knownZones } from "./zones.ts";

export type NextRun = Pick<HostRow, "next_run" | "covering_schedule">;

/**
 * When these hosts back up next by themselves, and which schedule of each fires all its groups: of several the one that is due
 * first.
 *
 * @param now milliseconds since 1970.
 */
export async function nextRuns(
  db: Database,
  ids: readonly HostId[],
  now: number,
): Promise<Map<HostId, NextRun>> {
  if (ids.length === 0) return new Map();
  const rows = await readFiring(db, ids);
  // Said of each, so that a row which lost its last schedule says so.
  const found = new Map<HostId, NextRun>(ids.map((id) => [id, { next_run: null, covering_schedule: null }]));
  if (rows.length === 0) return found;
  const groups = await countGroups(
    db,
    rows.map((row) => row.host_id),
  );
  const next = nextFireIn(now);
  for (const [hostId, schedules] of Map.groupBy(rows, (row) => row.host_id)) {
    // Infinity: an expression without any fire to come.
    const due = schedules
      .map((row) => ({ row, at: next(row) ?? Infinity }))
      .toSorted((a, b) => a.at - b.at || (a.row.id < b.row.id ? -1 : 1));
    const [first] = due;
    const whole = due.find(({ row }) => row.groups >= (groups.get(hostId) ?? 0));
    const fires = first !== undefined && first.at < Infinity && first.row.paused_at === null;
    found.set(hostId, {
      next_run: fires ? instant(first.at) : null,
      covering_schedule: whole === undefined ? null : { id: whole.row.id, cron: whole.row.cron },
    });
  }
  return found;
}

/** A fleet has few expressions and zones: each is looked at once. */
function nextFireIn(now: number): (row: FiringRow) => number | undefined {
  const zone = knownZones();
  const known = new Map<string, number | undefined>();
  return (row) => {
    const spread = spreadMs(row.host_id, row.id, row.spread_seconds);
    const where = zone(row.timezone ?? row.host_timezone);
    const key = `${row.cron}|${where.name}|${spread}`;
    if (known.has(key)) return known.get(key);
    const parsed = parseCron(row.cron);
    const base = parsed.ok ? nextFire(parsed.cron, where, now - spread) : undefined;
    const at = base === undefined ? undefined : base + spread;
    known.set(key, at);
    return at;
  };
}
