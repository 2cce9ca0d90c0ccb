import { parseCron, type Cron } from "@restic-manager/protocol/cron";
import { matchesDay } from "@restic-manager/protocol/fire-times";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import type { RetentionPolicy, SourceGroup } from "@restic-manager/protocol/api/sources";
import type { Dimension } from "./retention.ts";

/** A dimension that is finer than anything that fires its group. */
export interface RetentionConflict {
  dimension: Exclude<Dimension, "keep_last" | "yearly">;
  /** How many of it the policy keeps. */
  keep: number;
  /** Nothing fires the group more than once in this. */
  atMostOncePer: Unit;
  /** The dimension that means the same then. */
  same: Exclude<Dimension, "keep_last" | "hourly">;
}
type When = Pick<Schedule, "cron" | "effective_timezone">;
interface Parsed {
  cron: Cron;
  zone: string;
}
type Unit = "day" | "week" | "month" | "year";

const FINER_THAN: readonly Omit<RetentionConflict, "keep">[] = [
  { dimension: "hourly", atMostOncePer: "day", same: "daily" },
  { dimension: "daily", atMostOncePer: "week", same: "weekly" },
  { dimension: "weekly", atMostOncePer: "month", same: "monthly" },
  { dimension: "monthly", atMostOncePer: "year", same: "yearly" },
];

const DAY_MS = 86_400_000;
/** Four years from a Monday with a leap day in them: every date and every weekday comes. */
const FROM = Date.UTC(2024, 0, 1);
const DAYS = 4 * 365 + 1;

/**
 * What a policy keeps that its schedules cannot fill. restic counts only hours that have a snapshot, so that 24 hourly ones of a group
 * that is fired once a day are the last 24 days: it does what "daily" says, and not what was meant. A group that nothing fires has none.
 *
 * @param firing the schedules that are on and fire the group.
 */
export function retentionConflicts(policy: RetentionPolicy, firing: readonly When[]): RetentionConflict[] {
  const parsed = firing.flatMap(({ cron, effective_timezone: zone }) => {
    const read = parseCron(cron);
    return read.ok ? [{ cron: read.cron, zone }] : [];
  });
  const kept = FINER_THAN.filter(({ dimension }) => (policy[dimension] ?? 0) > 0);
  if (parsed.length === 0 || kept.length === 0) return [];
  const most = mostFires(parsed);
  return kept
    .filter(({ atMostOncePer }) => most[atMostOncePer] <= 1)
    .map((conflict) => ({ ...conflict, keep: policy[conflict.dimension] ?? 0 }));
}

/** Whether any group of a host has a conflict with the schedules that are on and fire it. */
export function conflictsAnywhere(groups: readonly SourceGroup[], schedules: readonly Schedule[]): boolean {
  return groups.some((group) => conflictsOf(group, firingOf(group, schedules)).length > 0);
}

/** The schedules that are on and fire a group. */
export function firingOf(group: SourceGroup, schedules: readonly Schedule[]): Schedule[] {
  return schedules.filter(
    (schedule) => schedule.enabled && schedule.source_groups.some(({ id }) => id === group.id),
  );
}

/** `firing` is what `firingOf` found. */
export function conflictsOf(group: SourceGroup, firing: readonly Schedule[]): RetentionConflict[] {
  return retentionConflicts(group.retention_policy, firing);
}

/** The most fires that fall into one day, week, month and year; a day counts two for two or more. */
function mostFires(crons: readonly Parsed[]): Record<Unit, number> {
  const most: Record<Unit, number> = { day: 0, week: 0, month: 0, year: 0 };
  const sums: Record<Unit, { of: number; sum: number }> = {
    day: { of: -1, sum: 0 },
    week: { of: -1, sum: 0 },
    month: { of: -1, sum: 0 },
    year: { of: -1, sum: 0 },
  };
  for (let day = 0; day < DAYS; day += 1) {
    const date = new Date(FROM + day * DAY_MS);
    const fires = firesOn(crons, date);
    if (fires === 0) continue;
    const year = date.getUTCFullYear();
    const now: Record<Unit, number> = {
      day,
      week: Math.floor(day / 7),
      month: year * 12 + date.getUTCMonth(),
      year,
    };
    for (const unit of ["day", "week", "month", "year"] as const) {
      const known = sums[unit];
      known.sum = known.of === now[unit] ? known.sum + fires : fires;
      known.of = now[unit];
      most[unit] = Math.max(most[unit], known.sum);
    }
  }
  return most;
}

function firesOn(crons: readonly Parsed[], date: Date): number {
  const times = new Set<string>();
  for (const { cron, zone } of crons) {
    if (!matchesDay(cron, date)) continue;
    if (cron.minutes.length * cron.hours.length > 1) return 2;
    // The same time of another zone is another instant.
    times.add(`${cron.hours[0]}:${cron.minutes[0]} ${zone}`);
  }
  return Math.min(2, times.size);
}
