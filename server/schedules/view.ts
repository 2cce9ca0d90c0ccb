import type { FireTime, HostPause, Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { parseCron } from "@restic-manager/protocol/cron";
import {
  localInstant,
  nextFire,
  nextFires,
  spreadMs,
  zoneOf,
  type Zone,
} from "@restic-manager/protocol/fire-times";
import type { HostId, JobId, SourceGroupId } from "@restic-manager/protocol/ids";
import type { JobState } from "@restic-manager/protocol/jobs";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { changedOf } from "../platform/http/two-editors.ts";
import {
  readGroupsOf,
  readJobStates,
  readLastFires,
  readScheduleHost,
  readSchedules,
  type FireRow,
  type ScheduleHost,
  type ScheduleRow,
} from "./store.ts";

/** An agent looks every 30 s and then has to say so; what is missing after this long did not happen. */
const OVERDUE_MS = 10 * 60_000;

/** All schedules of a host as the API shows them; undefined when there is no such host. */
export async function showSchedules(
  db: Database,
  hostId: HostId,
  now: number,
): Promise<Schedules | undefined> {
  const host = await readScheduleHost(db, hostId);
  if (host === undefined) return undefined;
  const rows = await readSchedules(db, hostId);
  const groups = await readGroupsOf(db, hostId);
  const fires = await readLastFires(
    db,
    hostId,
    rows.map((row) => row.id),
  );
  const jobs = [...fires.values()].flatMap((fire) => jobsOf(fire));
  const states = await readJobStates(db, jobs);
  return {
    items: rows.map((row) =>
      scheduleView(row, host, groups.get(row.id) ?? [], fires.get(row.id), states, now),
    ),
    paused: pauseOf(host),
    sync: { version: host.schedule_version, applied_version: host.schedule_applied_version },
  };
}

/** Why and since when nothing of a host fires; null when it does. */
export function pauseOf(
  host: Pick<ScheduleHost, "paused_at" | "paused_reason" | "paused_by">,
): HostPause | null {
  if (host.paused_at === null) return null;
  return { reason: host.paused_reason ?? "", since: instant(host.paused_at), by: host.paused_by ?? "" };
}

/** The next five fires of an expression, without any spread. */
export function previewFires(
  cron: string,
  timezone: string | null,
  host: Pick<ScheduleHost, "timezone">,
  now: number,
): { zone: Zone; next: FireTime[] } {
  const zone = zoneFor(timezone, host);
  const parsed = parseCron(cron);
  const next = parsed.ok ? nextFires(parsed.cron, zone, now, 5) : [];
  return { zone, next: next.map((at) => fireTime(zone, at)) };
}

/** The first instant at which a schedule should have fired by now and of which nothing is known; undefined when there is none. */
export function overdueSince(
  schedule: Pick<ScheduleRow, "cron" | "enabled" | "counts_from">,
  zone: Zone,
  facts: { lastFire: number | null; spread: number; paused: boolean },
  now: number,
): number | undefined {
  const parsed = parseCron(schedule.cron);
  if (!parsed.ok || schedule.enabled !== 1 || facts.paused) return undefined;
  const known = Math.max(schedule.counts_from - facts.spread, facts.lastFire ?? 0);
  const expected = nextFire(parsed.cron, zone, known);
  return expected !== undefined && expected + facts.spread + OVERDUE_MS < now ? expected : undefined;
}

function scheduleView(
  row: ScheduleRow,
  host: ScheduleHost,
  groups: { id: SourceGroupId; name: string }[],
  fire: FireRow | undefined,
  states: ReadonlyMap<JobId, JobState>,
  now: number,
): Schedule {
  const zone = zoneFor(row.timezone, host);
  const spread = spreadMs(host.id, row.id, row.spread_seconds);
  const paused = host.paused_at !== null;
  const parsed = parseCron(row.cron);
  const fires = parsed.ok && row.enabled === 1 && !paused;
  const next = fires ? nextFire(parsed.cron, zone, now - spread) : undefined;
  const overdue = overdueSince(row, zone, { lastFire: fire?.scheduled_at ?? null, spread, paused }, now);
  return {
    id: row.id,
    cron: row.cron,
    timezone: row.timezone,
    effective_timezone: zone.name,
    enabled: row.enabled === 1,
    spread_seconds: row.spread_seconds,
    source_groups: groups,
    next_run: next === undefined ? null : fireTime(zone, next + spread),
    last_run: fire === undefined ? null : lastRun(fire, states),
    overdue:
      overdue === undefined ? null : { scheduled_at: instant(overdue), host_offline: host.online !== 1 },
    version: row.version,
    changed: changedOf(row),
  };
}

function lastRun(fire: FireRow, states: ReadonlyMap<JobId, JobState>): Schedule["last_run"] {
  const ids = jobsOf(fire);
  const found = ids.flatMap((id) => states.get(id) ?? []);
  const missed = JSON.parse(fire.missed) as number[];
  return {
    scheduled_at: instant(fire.scheduled_at),
    fired_at: instant(fire.fired_at),
    catch_up:
      fire.missed_count === 0 ? null : { missed_count: fire.missed_count, missed: missed.map(instant) },
    job_ids: ids,
    state: worstOf(found),
  };
}

function worstOf(states: readonly JobState[]): "running" | "succeeded" | "failed" | "cancelled" | null {
  if (states.length === 0) return null;
  if (states.some((state) => state === "queued" || state === "running")) return "running";
  if (states.includes("failed")) return "failed";
  return states.includes("cancelled") ? "cancelled" : "succeeded";
}

function jobsOf(fire: FireRow): JobId[] {
  return JSON.parse(fire.job_ids) as JobId[];
}

function fireTime(zone: Zone, at: number): FireTime {
  return { at: instant(at), local: localInstant(zone, at) };
}

/** Its own zone, else the machine's; UTC until one of them is known here. */
function zoneFor(timezone: string | null, host: Pick<ScheduleHost, "timezone">): Zone {
  const zone = zoneOf(timezone ?? host.timezone ?? "UTC") ?? zoneOf("UTC");
  if (zone === undefined) throw new Error("this machine has no time zones");
  return zone;
}
