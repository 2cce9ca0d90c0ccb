/** A day with its snapshots, for a calendar of squares. */
export interface CalendarDay {
  /** `2026-11-21`, in the reader's zone. */
  date: string;
  count: number;
  /** 0 none to 4 many, by the busiest day. */
  level: 0 | 1 | 2 | 3 | 4;
  /** After today: drawn as nothing. */
  future: boolean;
}

const DAY_MS = 86_400_000;

/** The day of an instant (ms since 1970), in the reader's zone unless another is given. */
export function dayOf(at: number, timeZone?: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-CA", { timeZone });
    formats.set(timeZone, format);
  }
  return format.format(at);
}
/** Making a format takes longer than using it a thousand times. */
const formats = new Map<string | undefined, Intl.DateTimeFormat>();

/**
 * The last `weeks` weeks up to today, as columns of seven days from Monday to Sunday.
 *
 * @param times of snapshots, in ms since 1970, in any order.
 */
export function calendarWeeks(
  times: readonly number[],
  now: number,
  weeks: number,
  timeZone?: string,
): CalendarDay[][] {
  const counts = new Map<string, number>();
  for (const at of times) {
    const day = dayOf(at, timeZone);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const today = Date.parse(dayOf(now, timeZone));
  const sinceMonday = (new Date(today).getUTCDay() + 6) % 7;
  const monday = today - sinceMonday * DAY_MS - (weeks - 1) * 7 * DAY_MS;
  const shown = Array.from({ length: weeks * 7 }, (_, n) =>
    new Date(monday + n * DAY_MS).toISOString().slice(0, 10),
  );
  const most = shown.reduce((max, date) => Math.max(max, counts.get(date) ?? 0), 0);
  const days = shown.map((date): CalendarDay => {
    const count = counts.get(date) ?? 0;
    return { date, count, level: levelOf(count, most), future: Date.parse(date) > today };
  });
  return Array.from({ length: weeks }, (_, week) => days.slice(week * 7, week * 7 + 7));
}

function levelOf(count: number, most: number): CalendarDay["level"] {
  if (count === 0) return 0;
  return Math.min(4, Math.max(1, Math.ceil((count / most) * 4))) as CalendarDay["level"];
}
