import type { Cron } from "./cron.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** Longest wait between two fires: February 29th around a year like 2100 that is no leap year. */
const MOST_DAYS = 366 * 9;

/** The wall clock of one place. */
export interface Zone {
  name: string;
  /** What that clock is ahead of UTC at an instant; both in milliseconds. */
  offsetAt(ms: number): number;
}

/**
 * The zone of that name (`Europe/Berlin`, `UTC`), as the machine's own tables know it; `undefined` when they do not. Costs some
 * microseconds to make, so keep it while you ask it much.
 */
export function zoneOf(name: string): Zone | undefined {
  // `+01:00` would be a zone too, but one that knows no summer.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    return undefined;
  }
  return {
    name,
    offsetAt(ms) {
      const second = Math.floor(ms / 1_000) * 1_000;
      // "3/29/2026, 03:00:00"
      const [month = 0, day = 0, year = 0, hour = 0, minute = 0, last = 0] = format
        .format(second)
        .split(/[^0-9]+/)
        .map(Number);
      return Date.UTC(year, month - 1, day, hour, minute, last) - second;
    },
  };
}

/**
 * The first fire after `after` (milliseconds since 1970, as all instants here); `undefined` when there is none for years.
 *
 * When clocks are changed no fire is left out and none comes twice: a time that the clock leaps over fires at the leap; of a time that
 * comes twice the first counts. An expression for every hour (`0 * * * *`) follows the hours that really pass instead.
 */
export function nextFire(cron: Cron, zone: Zone, after: number): number | undefined {
  const from = localDay(zone, after) - DAY_MS;
  for (let day = from, end = from + MOST_DAYS * DAY_MS; day < end; day += DAY_MS) {
    const found = firesOfDay(cron, zone, day).find((at) => at > after);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The next `count` fires after `after`. */
export function nextFires(cron: Cron, zone: Zone, after: number, count: number): number[] {
  const found: number[] = [];
  while (found.length < count) {
    const at = nextFire(cron, zone, found.at(-1) ?? after);
    if (at === undefined) break;
    found.push(at);
  }
  return found;
}

/** The fires after `after` and not after `until`, in order: the newest `most` of them. */
export function firesBetween(cron: Cron, zone: Zone, after: number, until: number, most: number): number[] {
  if (until <= after) return [];
  const found = new Set<number>();
  const first = localDay(zone, after) - DAY_MS;
  for (let day = localDay(zone, until) + DAY_MS; day >= first && found.size < most; day -= DAY_MS) {
    for (const at of firesOfDay(cron, zone, day).toReversed())
      if (at > after && at <= until && found.size < most) found.add(at);
  }
  return [...found].toSorted((a, b) => a - b);
}

/**
 * How long after its scheduled instants a schedule fires on one host, in milliseconds: always the same, and spread over the
 * window from host to host, so that a fleet does not meet at 03:00.
 */
export function spreadMs(hostId: string, scheduleId: string, spreadSeconds: number): number {
  if (spreadSeconds <= 0) return 0;
  // FNV-1a, 32 bits: the same everywhere, and good enough to spread.
  let hash = 0x811c9dc5;
  for (const letter of `${hostId}/${scheduleId}`)
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  // The low bits of FNV hang on the last letter alone.
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b) >>> 0;
  return (((hash ^ (hash >>> 16)) >>> 0) % (spreadSeconds + 1)) * 1_000;
}

/** An instant on the wall clock of a zone: `2026-03-29T03:00:00+02:00`. */
export function localInstant(zone: Zone, ms: number): string {
  const offset = zone.offsetAt(ms);
  const text = new Date(ms + offset).toISOString().slice(0, 19);
  const minutes = Math.abs(offset) / MINUTE_MS;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  return `${text}${offset < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

/** The calendar day at an instant, as the UTC midnight of a day with the same date. */
function localDay(zone: Zone, ms: number): number {
  const local = ms + zone.offsetAt(ms);
  return local - (((local % DAY_MS) + DAY_MS) % DAY_MS);
}

/** The fires whose wall-clock time lies on `day`, in order. */
function firesOfDay(cron: Cron, zone: Zone, day: number): number[] {
  if (!matchesDay(cron, new Date(day))) return [];
  // Surely before and after that day, wherever on earth.
  const [before, past] = [day - 14 * 3_600_000, day + DAY_MS + 12 * 3_600_000];
  const [earlier, later] = [zone.offsetAt(before), zone.offsetAt(past)];
  const times = cron.hours.flatMap((hour) =>
    cron.minutes.map((minute) => day + (hour * 60 + minute) * MINUTE_MS),
  );
  if (earlier === later) return times.map((time) => time - earlier);
  const change = changeBetween(zone, before, past);
  const everyHour = cron.hours.length === 24;
  const fires = new Set<number>();
  for (const time of times) {
    const [first, second] = [time - earlier, time - later];
    if (first < change) fires.add(first);
    if (second >= change && (first >= change || everyHour)) fires.add(second);
    if (first >= change && second < change && !everyHour) fires.add(change);
  }
  return [...fires].toSorted((a, b) => a - b);
}

/** Whether an expression names this day; `date` is its UTC midnight. */
export function matchesDay({ days, months, weekdays, eitherDay }: Cron, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [day, weekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return eitherDay ? day || weekday : day && weekday;
}

/** The instant from which the clock has its later offset; clocks are changed at whole minutes. */
function changeBetween(zone: Zone, before: number, past: number): number {
  const later = zone.offsetAt(past);
  let [low, high] = [before, past];
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS;
    if (zone.offsetAt(middle) === later) high = middle;
    else low = middle;
  }
  return high;
}
