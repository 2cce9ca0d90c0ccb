import { parseCron, type Cron } from "@restic-manager/protocol/cron";
import { firesBetween, nextFire, spreadMs, zoneOf, type Zone } from "@restic-manager/protocol/fire-times";
import { MISSED_COUNTED } from "@restic-manager/protocol/limits";
import { type AgentSchedule } from "@restic-manager/protocol/schedule";

/** A fire that comes later than this after its moment was missed, and is caught up with. Twice the longest sleep between two looks. */
const LATE_MS = 60_000;

/**
 * A clock that was set back by less than this waits until it is again where it was, since those moments have had their run; one that
 * was set back further had been wrong, and its moments count anew.
 */
const SET_BACK_MS = 24 * 3_600_000;

/** A schedule made ready for asking. */
export interface Plan {
  schedule: AgentSchedule;
  cron: Cron;
  zone: Zone;
  /** How long after its scheduled instants it fires here, in milliseconds. */
  spread: number;
}

/** One run that is due now. Instants in milliseconds since 1970. */
export interface DueFire {
  scheduledAt: number;
  /** All instants that this run stands for, in order, the newest `MISSED_COUNTED`; empty for a run in time. */
  missed: number[];
}

/** `undefined` for a schedule that fires nothing: it is off, or this machine cannot read it. */
export function planOf(
  schedule: AgentSchedule,
  machine: { hostId: string; timezone: string },
): Plan | undefined {
  if (!schedule.enabled) return undefined;
  const parsed = parseCron(schedule.cron);
  const zone = zoneOf(schedule.timezone ?? machine.timezone) ?? zoneOf("UTC");
  if (!parsed.ok || zone === undefined) return undefined;
  const spread = spreadMs(machine.hostId, schedule.id, schedule.spread_seconds);
  return { schedule, cron: parsed.cron, zone, spread };
}

/** Up to which moment a schedule has had its runs, once the clock has been looked at. */
export function accountedFor(until: number, now: number): number {
  return until - now > SET_BACK_MS ? now : until;
}

/**
 * The run that is due at `now`, of a schedule that has had its runs up to `until`; `undefined` when none is. However many
 * instants have passed, it is one run.
 */
export function dueFire({ cron, zone, spread }: Plan, until: number, now: number): DueFire | undefined {
  const instants = firesBetween(cron, zone, until - spread, now - spread, MISSED_COUNTED);
  const scheduledAt = instants.at(-1);
  if (scheduledAt === undefined) return undefined;
  const inTime = instants.length === 1 && now - (scheduledAt + spread) <= LATE_MS;
  return { scheduledAt, missed: inTime ? [] : instants };
}

/** When the next run is due, of a schedule that has had its runs up to `until`. */
export function nextDue({ cron, zone, spread }: Plan, until: number): number | undefined {
  const next = nextFire(cron, zone, until - spread);
  return next === undefined ? undefined : next + spread;
}
