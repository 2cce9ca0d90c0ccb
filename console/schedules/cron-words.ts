import { parseCron, type Cron } from "@restic-manager/protocol/cron";

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
/** As many times of a day are named one by one; more would hide what they have in common. */
const MOST_TIMES = 6;

/** A cron expression in plain English, or what is wrong with it. */
export type CronInWords =
  | {
      ok: true;
      words: string;
      /** Its times of a day (`03:30`), when they are few and the words do not name them. */
      times: readonly string[];
    }
  | { ok: false; problem: string };

/** Reads `30 3-21/6 * * *` as "Every 6 hours, at half past". */
export function cronInWords(text: string): CronInWords {
  const parsed = parseCron(text);
  if (!parsed.ok) return parsed;
  const { cron } = parsed;
  const time = timeWords(cron);
  const day = dayWords(cron);
  const comma = day.startsWith("on ") && !time.words.includes(",") ? " " : ", ";
  const everyDay = day === "" && time.named ? "every day" : day;
  return {
    ok: true,
    words: everyDay === "" ? time.words : `${time.words}${comma}${everyDay}`,
    times: time.named || count(cron) > MOST_TIMES ? [] : timesOf(cron),
  };
}

/** The words alone; what cannot be read stays as it is. */
export function cronWords(text: string): string {
  const read = cronInWords(text);
  return read.ok ? read.words : text;
}

const count = ({ minutes, hours }: Cron) => minutes.length * hours.length;
const pad = (value: number) => String(value).padStart(2, "0");
const timesOf = ({ minutes, hours }: Cron) =>
  hours.flatMap((hour) => minutes.map((minute) => `${pad(hour)}:${pad(minute)}`));

/** `named`: each time of a day is in the words, so that only the day is left to say. */
function timeWords(cron: Cron): { words: string; named: boolean } {
  const { minutes, hours } = cron;
  const [minute = 0] = minutes;
  const [hour = 0] = hours;
  const lastHour = hours.at(-1) ?? hour;
  const minuteStep = stepOf(minutes, 60);
  const hourStep = stepOf(hours, 24);
  const wholeDay = hours.length === 24;
  if (minutes.length > 1 && minuteStep !== null) {
    const every = minuteStep === 1 ? "Every minute" : `Every ${minuteStep} minutes`;
    const from = minute === 0 ? "" : `, from ${minute} past`;
    if (wholeDay) return { words: `${every}${from}`, named: false };
    if (hourStep === null && lastHour - hour !== hours.length - 1)
      return { words: `${every}${from}, in the hours of ${list(hours.map(pad))}`, named: false };
    if (lastHour - hour === hours.length - 1) {
      const until = `${pad(lastHour)}:${pad(minutes.at(-1) ?? 0)}`;
      return { words: `${every} from ${pad(hour)}:${pad(minute)} to ${until}`, named: false };
    }
    return { words: `${every}${from}, in every ${ordinal(hourStep ?? 1)} hour`, named: false };
  }
  if (minutes.length === 1) {
    if (wholeDay) return { words: `Every hour, ${past(minute)}`, named: false };
    if (hours.length > 2 && hourStep !== null)
      return { words: `Every ${hourStep} hours, ${past(minute)}`, named: false };
    if (hours.length > MOST_TIMES && lastHour - hour === hours.length - 1)
      return {
        words: `Every hour from ${pad(hour)}:${pad(minute)} to ${pad(lastHour)}:${pad(minute)}`,
        named: false,
      };
  }
  if (count(cron) <= MOST_TIMES) return { words: `At ${list(timesOf(cron))}`, named: true };
  const each = `At ${list(minutes.map(String))} minutes past`;
  if (wholeDay) return { words: `${each} every hour`, named: false };
  return { words: `${each} the hours ${list(hours.map(pad))}`, named: true };
}

/** The distance of values that stand equally far apart all around a clock of `size`; null when they do not. */
function stepOf(values: readonly number[], size: number): number | null {
  const step = size / values.length;
  if (!Number.isInteger(step)) return null;
  return values.every((value, index) => value === (values[0] ?? 0) + index * step) ? step : null;
}

function past(minute: number): string {
  if (minute === 0) return "on the hour";
  if (minute === 30) return "at half past";
  return minute === 1 ? "at 1 minute past" : `at ${minute} minutes past`;
}

function dayWords(cron: Cron): string {
  const { days, months, weekdays, eitherDay } = cron;
  const month = monthWords(months);
  const anyDay = days.size === 31;
  const anyWeekday = weekdays.size === 7;
  const named = days.size > 0 ? [...days].toSorted((a, b) => a - b) : [];
  const of = months.size === 12 ? " of the month" : ` of ${list(monthsOf(months))}`;
  const onDays = `on the ${named.length === 1 ? ordinal(named[0] ?? 1) : list(ranges(named).map(rangeOfDays))}${of}`;
  if (anyDay && anyWeekday) return month === "" ? "" : `every day ${month}`;
  if (anyDay) return [weekdayWords(weekdays), month].filter((part) => part !== "").join(" ");
  if (anyWeekday) return onDays;
  if (eitherDay) return `${onDays} and ${weekdayWords(weekdays)}${month === "" ? "" : ` ${month}`}`;
  return `${onDays} when it is a ${list(weekdaysOf(weekdays), "or")}`;
}

const weekdaysOf = (weekdays: ReadonlySet<number>) =>
  mondayFirst(weekdays).map((day) => WEEKDAYS[day] ?? String(day));

function mondayFirst(weekdays: ReadonlySet<number>): number[] {
  return [...weekdays].toSorted((a, b) => ((a + 6) % 7) - ((b + 6) % 7));
}

function weekdayWords(weekdays: ReadonlySet<number>): string {
  const order = mondayFirst(weekdays).map((day) => (day + 6) % 7);
  const [first = 0] = order;
  const last = order.at(-1) ?? first;
  const names = weekdaysOf(weekdays);
  if (names.length === 1) return `every ${names[0]}`;
  if (names.length > 2 && last - first === order.length - 1) return `${names[0]} to ${names.at(-1)}`;
  return `every ${list(names)}`;
}

const monthsOf = (months: ReadonlySet<number>) =>
  ranges([...months].toSorted((a, b) => a - b)).map(([from, to]) => {
    const [first, last] = [MONTHS[from - 1] ?? "", MONTHS[to - 1] ?? ""];
    return from === to ? first : `${first} to ${last}`;
  });

function monthWords(months: ReadonlySet<number>): string {
  return months.size === 12 ? "" : `in ${list(monthsOf(months))}`;
}

/** Values in order as ranges: of three or more in a row the first and the last. */
function ranges(values: readonly number[]): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    const last = found.at(-1);
    if (last !== undefined && value === last[1] + 1) last[1] = value;
    else found.push([value, value]);
  }
  return found.flatMap(([from, to]) =>
    to === from + 1
      ? [
          [from, from],
          [to, to],
        ]
      : [[from, to]],
  );
}

function rangeOfDays([from, to]: [number, number]): string {
  return from === to ? ordinal(from) : `${ordinal(from)} to ${ordinal(to)}`;
}

function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  const end = teen ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${end}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(items: readonly string[], word = "and"): string {
  const last = items.at(-1) ?? "";
  return items.length < 2 ? last : `${items.slice(0, -1).join(", ")} ${word} ${last}`;
}
