import { hourAndMinute } from "./times.ts";

/**
 * A time as people say it, both in ms since 1970: `08:14` today, `yesterday 08:14`, `14 Mar 08:14`, `14 Mar 2025 08:14`. `timeZone` is
 * the reader's own unless given.
 */
export function dayTime(at: number, now: number, timeZone?: string): string {
  const time = hourAndMinute(at, timeZone);
  const day = dayName(at, now, timeZone);
  return day === "" ? time : `${day} ${time}`;
}

/** From when to when: `03:12 to 03:31`, `yesterday 23:50 to 00:12`. */
export function timeSpan(from: number, to: number, now: number, timeZone?: string): string {
  return `${dayTime(from, now, timeZone)} to ${hourAndMinute(to, timeZone)}`;
}

function dayName(at: number, now: number, timeZone?: string): string {
  const date = (value: number) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(value);
  const day = date(at);
  if (day === date(now)) return "";
  if (day === date(now - 24 * 3_600_000)) return "yesterday";
  const year = day.slice(0, 4) === date(now).slice(0, 4) ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...year, timeZone }).format(at);
}
