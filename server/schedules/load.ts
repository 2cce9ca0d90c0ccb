import { parseCron } from "@restic-manager/protocol/cron";
import { firesBetween, spreadMs } from "@restic-manager/protocol/fire-times";
import { LOAD_SLOT_MINUTES, type ScheduleLoad } from "@restic-manager/protocol/api/schedules";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { turn } from "../platform/turn.ts";
import { readFiring, type FiringRow } from "./load-store.ts";
import { knownZones } from "./zones.ts";

const SLOT_MS = LOAD_SLOT_MINUTES * 60_000;
const SLOTS = (24 * 60) / LOAD_SLOT_MINUTES;
/** Longest spread there is (protocol `ScheduleInput`). */
const MOST_SPREAD_MS = 43_200_000;
/** An expression for every minute has so many in a day and a half. */
const MOST_FIRES = 2_500;

/**
 * How many runs start in each quarter of an hour of the next 24 hours, by the schedules as they are now: where they are spread,
 * and where they would be without.
 *
 * @param now milliseconds since 1970.
 */
export async function scheduleLoad(db: Database, now: number): Promise<ScheduleLoad> {
  const from = Math.floor(now / SLOT_MS) * SLOT_MS;
  const until = from + SLOTS * SLOT_MS;
  const rows = await readFiring(db);
  const firing = rows.filter((row) => row.paused_at === null);
  const starts = Array.from({ length: SLOTS }, () => 0);
  const unspread = Array.from({ length: SLOTS }, () => 0);
  const add = (counts: number[], at: number, weight: number) => {
    const slot = Math.floor((at - from) / SLOT_MS);
    if (slot >= 0 && slot < SLOTS) counts[slot] = (counts[slot] ?? 0) + weight;
  };
  const zone = knownZones();
  const alike = Map.groupBy(firing, (row) => `${row.cron}|${row.timezone ?? row.host_timezone ?? ""}`);
  for (const some of alike.values()) {
    const [first] = some;
    if (first === undefined) continue;
    const parsed = parseCron(first.cron);
    if (!parsed.ok) continue;
    const where = zone(first.timezone ?? first.host_timezone);
    // `firesBetween` leaves its beginning out, and a slot has it.
    const fires = firesBetween(parsed.cron, where, from - MOST_SPREAD_MS - 1, until - 1, MOST_FIRES);
    const together = some.filter((row) => row.spread_seconds === 0).length;
    for (const at of fires) {
      add(unspread, at, some.length);
      if (together > 0) add(starts, at, together);
    }
    for (const row of some) if (row.spread_seconds > 0) addSpread(row, fires, (at) => add(starts, at, 1));
    await turn();
  }
  return {
    from: instant(from),
    slots: starts.map((count, index) => ({
      at: instant(from + index * SLOT_MS),
      starts: count,
      without_spread: unspread[index] ?? 0,
    })),
    schedules: firing.length,
    paused: rows.length - firing.length,
  };
}

function addSpread(row: FiringRow, fires: readonly number[], add: (at: number) => void): void {
  const spread = spreadMs(row.host_id, row.id, row.spread_seconds);
  for (const at of fires) add(at + spread);
}
