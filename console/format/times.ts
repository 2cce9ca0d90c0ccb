const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** From here on the hours alone are near enough. */
const HOURS_WITH_MINUTES = 10;

/** How far `at` is from `now`, both in milliseconds: `41 s ago`, `6 h 12 ago`, `31 h ago`, `in 5 h 48`. Never "just now". */
export function relativeTime(at: number, now: number): string {
  const past = at <= now;
  const words = distance(Math.max(1, Math.round(Math.abs(now - at) / 1000)));
  return past ? `${words} ago` : `in ${words}`;
}

function distance(seconds: number): string {
  if (seconds < MINUTE) return `${seconds} s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min`;
  const hours = Math.floor(seconds / HOUR);
  if (hours < HOURS_WITH_MINUTES) {
    return `${hours} h ${String(Math.floor((seconds % HOUR) / MINUTE)).padStart(2, "0")}`;
  }
  if (hours < 48) return `${hours} h`;
  const days = Math.floor(seconds / DAY);
  if (days < 60) return `${days} d`;
  if (days < 730) return `${Math.floor(days / 30.44)} mo`;
  return `${Math.floor(days / 365.25)} y`;
}

/** Making a format takes a browser longer than a row of a table may: each is made once. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: number, options: Intl.DateTimeFormatOptions, timeZone: string | undefined): string {
  const key = JSON.stringify([options, timeZone]);
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone });
    formats.set(key, made);
  }
  return made.format(at);
}

const ABSOLUTE = {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
} as const;

/** Date and time with the zone's name, for when exactness matters. `timeZone` is the reader's own unless given. */
export function absoluteTime(at: number, timeZone?: string): string {
  return format(at, ABSOLUTE, timeZone).replaceAll(",", "");
}

/** `09:37:10`. */
export function clockTime(at: number, timeZone?: string): string {
  return format(at, { timeStyle: "medium" }, timeZone);
}

/** `09:37`. */
export function hourAndMinute(at: number, timeZone?: string): string {
  return format(at, { timeStyle: "short" }, timeZone);
}

/** `14 Mar 2026`. */
export function calendarDay(at: number, timeZone?: string): string {
  return format(at, { day: "numeric", month: "short", year: "numeric" }, timeZone);
}

/** `20 Nov 2026 22:10`, for columns of times. */
export function shortDateTime(at: number, timeZone?: string): string {
  const options = {
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  } as const;
  return format(at, options, timeZone).replace(",", "");
}
