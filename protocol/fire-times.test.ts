import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCron, type Cron } from "./cron.ts";
import {
  firesBetween,
  localInstant,
  nextFire,
  nextFires,
  spreadMs,
  zoneOf,
  type Zone,
} from "./fire-times.ts";

function cronOf(text: string): Cron {
  const parsed = parseCron(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.cron;
}
function zone(name: string): Zone {
  const found = zoneOf(name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found;
}
const fires = (text: string, place: string, after: string, count: number): string[] =>
  nextFires(cronOf(text), zone(place), Date.parse(after), count).map((at) =>
    new Date(at).toISOString().slice(0, 16),
  );

test("a time that the clock leaps over fires once, at the leap", () => {
  const leap = ["2026-03-29T01:00", "2026-03-30T00:30"];
  expect(fires("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 2)).toEqual(leap);
  expect(fires("15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 1)).toEqual(["2026-03-29T01:00"]);
  expect(fires("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 2)).toEqual([
    "2026-03-29T01:00",
    "2026-03-30T00:00",
  ]);
  expect(fires("30 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", 2)).toEqual([
    "2026-03-28T22:00",
    "2026-03-29T21:30",
  ]);
});

test("a day that a place never had fires when it would have begun", () => {
  expect(fires("0 3 * * *", "Pacific/Apia", "2011-12-29T14:00Z", 2)).toEqual([
    "2011-12-30T10:00",
    "2011-12-30T13:00",
  ]);
});

test("a time that comes twice fires the first time only", () => {
  const once = ["2026-10-25T00:30", "2026-10-26T01:30"];
  expect(fires("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", 2)).toEqual(once);
  expect(fires("30 2 * * *", "Europe/Berlin", "2026-10-25T00:45Z", 1)).toEqual(["2026-10-26T01:30"]);
  expect(fires("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", 2)).toEqual([
    "2026-04-04T14:45",
    "2026-04-05T15:15",
  ]);
});

test("what fires every hour fires in each hour that passes, however the clock is set", () => {
  const hours = ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"];
  expect(fires("0 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", 3)).toEqual(hours);
  const leap = ["2026-03-29T00:45", "2026-03-29T01:00", "2026-03-29T01:15"];
  expect(fires("*/15 * * * *", "Europe/Berlin", "2026-03-29T00:30Z", 3)).toEqual(leap);
});

test("February 29th is found beyond a year that has none", () => {
  expect(fires("0 0 29 2 *", "UTC", "2096-03-01T00:00Z", 1)).toEqual(["2104-02-29T00:00"]);
});

test("a zone is a name from the machine's tables: an offset or nonsense is none", () => {
  for (const name of ["", "+01:00", "Mars/Olympus", "../etc/passwd", "Europe/Berlin "])
    expect(zoneOf(name)).toBeUndefined();
  expect(zoneOf("UTC")?.offsetAt(0)).toBe(0);
  expect(localInstant(zone("Asia/Kathmandu"), Date.UTC(2026, 0, 1))).toBe("2026-01-01T05:45:00+05:45");
  expect(localInstant(zone("America/St_Johns"), Date.UTC(2026, 0, 1))).toBe("2025-12-31T20:30:00-03:30");
});

/** Every fire of an interval, found by looking at each of its minutes on the wall clock. */
function byMinute(cron: Cron, place: Zone, after: number, until: number): number[] {
  const matches = (wall: number): boolean => {
    const date = new Date(wall);
    const [day, weekday] = [cron.days.has(date.getUTCDate()), cron.weekdays.has(date.getUTCDay())];
    return (
      cron.months.has(date.getUTCMonth() + 1) &&
      (cron.eitherDay ? day || weekday : day && weekday) &&
      cron.hours.includes(date.getUTCHours()) &&
      cron.minutes.includes(date.getUTCMinutes())
    );
  };
  const hourly = cron.hours.length === 24;
  const found: number[] = [];
  const begin = Math.floor(after / 60_000) * 60_000 - 2 * 86_400_000;
  let latest = Number.NEGATIVE_INFINITY;
  for (let at = begin; at <= until; at += 60_000) {
    const wall = at + place.offsetAt(at);
    let fires = matches(wall) && (hourly || wall > latest);
    for (let skipped = latest + 60_000; !hourly && latest > 0 && skipped < wall; skipped += 60_000)
      fires ||= matches(skipped);
    latest = Math.max(latest, wall);
    if (fires && at > after) found.push(at);
  }
  return found;
}

const places = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/Santiago",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Asia/Beirut",
  "Africa/Casablanca",
  "Pacific/Chatham",
];
const field = (from: number, to: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant("*") },
    fc.integer({ min: from, max: to }).map(String),
    fc
      .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 3 })
      .map((all) => all.join(",")),
    fc.integer({ min: 1, max: Math.max(1, to) }).map((step) => `*/${step}`),
  );
const expressions = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map((parts) => parts.join(" "));

test("the fires of an interval are those that the wall clock's minutes show, one after the other", () => {
  // Weeks around the changes of the clocks in 2026, and any other.
  const weeks = fc.constantFrom(
    "2026-02-13",
    "2026-03-06",
    "2026-03-26",
    "2026-04-02",
    "2026-09-25",
    "2026-10-01",
    "2026-10-22",
    "2026-10-30",
    "2026-12-28",
  );
  fc.assert(
    fc.property(
      expressions,
      fc.constantFrom(...places),
      weeks,
      fc.integer({ min: 1, max: 96 }),
      (text, name, day, hours) => {
        const [cron, place] = [cronOf(text), zone(name)];
        const after = Date.parse(`${day}T05:17:11Z`) + hours * 1_800_000;
        const until = after + hours * 3_600_000;
        const wanted = byMinute(cron, place, after, until);
        expect(firesBetween(cron, place, after, until, 100_000)).toEqual(wanted);
        expect(firesBetween(cron, place, after, until, 3)).toEqual(wanted.slice(-3));
        const next = nextFire(cron, place, after);
        if (wanted[0] !== undefined || (next ?? until + 1) <= until) expect(next).toBe(wanted[0]);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test("a spread is the same each time, lies in its window, and fills it from host to host", () => {
  const spread = Array.from({ length: 500 }, (_, n) => spreadMs(`01JD${n}`, "01JDSCHEDULE", 3_600) / 60_000);
  expect(spreadMs("01JD7", "01JDSCHEDULE", 3_600)).toBe(spreadMs("01JD7", "01JDSCHEDULE", 3_600));
  expect(spreadMs("01JD7", "01JDSCHEDULE", 0)).toBe(0);
  const perTenth = Array.from(
    { length: 6 },
    (_, n) => spread.filter((at) => Math.min(5, Math.floor(at / 10)) === n).length,
  );
  for (const count of perTenth) expect(count).toBeGreaterThan(50);
});
