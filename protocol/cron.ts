import { CRON_CHARACTERS } from "./limits.ts";

/**
 * A cron expression taken apart: the values that each of its five fields allows. Times are those of a wall clock; `fire-times.ts`
 * says what they mean when clocks are changed.
 */
export interface Cron {
  minutes: readonly number[];
  hours: readonly number[];
  days: ReadonlySet<number>;
  months: ReadonlySet<number>;
  /** 0 = Sunday. */
  weekdays: ReadonlySet<number>;
  /** Either of the two day fields is enough, as in every cron: neither begins with `*`. */
  eitherDay: boolean;
}

export type ParsedCron = { ok: true; cron: Cron } | { ok: false; problem: string };

interface Field {
  name: string;
  from: number;
  to: number;
  names?: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MINUTE: Field = { name: "minute", from: 0, to: 59 };
const HOUR: Field = { name: "hour", from: 0, to: 23 };
const DAY: Field = { name: "day of the month", from: 1, to: 31 };
const MONTH: Field = { name: "month", from: 1, to: 12, names: MONTHS };
/** 7 is Sunday too. */
const WEEKDAY: Field = { name: "day of the week", from: 0, to: 7, names: WEEKDAYS };
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/**
 * Reads a cron expression of five fields: numbers, names of months and weekdays, `*`, lists, ranges and steps. Nothing beyond
 * that: a nickname or a sixth field is refused with words that say what to write, since people mean different things by them.
 */
export function parseCron(text: string): ParsedCron {
  const trimmed = text.trim().toLowerCase();
  if (trimmed.length > CRON_CHARACTERS) return refused(`has more than ${CRON_CHARACTERS} characters`);
  const parts = trimmed.split(/\s+/);
  const [first = ""] = parts;
  if (first.startsWith("@")) {
    const written = NICKNAMES[first];
    return refused(
      written === undefined ? `does not know "${first}"` : `write ${written} instead of ${first}`,
    );
  }
  if (parts.length !== 5 || first === "") {
    const seconds = parts.length === 6 ? ": leave out the one for seconds" : "";
    const count = first === "" ? 0 : parts.length;
    return refused(`needs 5 fields (minute hour day month weekday) and has ${count}${seconds}`);
  }
  const read = [MINUTE, HOUR, DAY, MONTH, WEEKDAY].map((field, at) => readField(parts[at] ?? "", field));
  for (const one of read) if (typeof one === "string") return refused(one);
  const [minutes, hours, days, months, weekdays] = read.map((one) => (typeof one === "string" ? [] : one));
  if (!minutes || !hours || !days || !months || !weekdays) return refused("needs 5 fields");
  const anyDay = parts[2]?.startsWith("*") === true;
  const anyWeekday = parts[4]?.startsWith("*") === true;
  const neverComes = months.every((month) => days.every((day) => day > (MONTH_DAYS[month - 1] ?? 0)));
  if (neverComes && !(!anyDay && !anyWeekday)) return refused("names a date that never comes");
  return {
    ok: true,
    cron: {
      minutes,
      hours,
      days: new Set(days),
      months: new Set(months),
      weekdays: new Set(weekdays.map((day) => day % 7)),
      eitherDay: !anyDay && !anyWeekday,
    },
  };
}

/** The values in order, or what is wrong. */
function readField(text: string, field: Field): number[] | string {
  const values = new Set<number>();
  for (const item of text.split(",")) {
    const range = readItem(item, field);
    if (typeof range === "string") return range;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
  }
  return [...values].toSorted((a, b) => a - b);
}

function readItem(item: string, field: Field): { from: number; to: number; step: number } | string {
  const [, all, low, high, by] = /^(?:(\*)|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/.exec(item) ?? [];
  if (all === undefined && low === undefined) return `${field.name}: cannot read "${item.slice(0, 40)}"`;
  const step = by === undefined ? 1 : Number(by);
  if (step < 1 || step > field.to) return `${field.name}: a step must be 1 to ${field.to}`;
  if (low === undefined) return { from: field.from, to: field.to, step };
  const from = readValue(low, field);
  if (typeof from === "string") return from;
  if (high === undefined) {
    if (by !== undefined) return `${field.name}: write ${low}-${field.to}/${by} instead of ${item}`;
    return { from, to: from, step };
  }
  const to = readValue(high, field);
  if (typeof to === "string") return to;
  if (to < from) return `${field.name}: ${item} ends before it begins; write two ranges`;
  return { from, to, step };
}

function readValue(text: string, { name, from, to, names = [] }: Field): number | string {
  const named = names.indexOf(text);
  if (named >= 0) return named + from;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= from && value <= to) return value;
  return `${name}: "${text.slice(0, 40)}" is not ${from} to ${to}`;
}

function refused(problem: string): ParsedCron {
  return { ok: false, problem };
}
