const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The ruler's labelled ages, youngest first. */
export const RULER_MARKS = [
  { title: "6 h", age: 6 * HOUR },
  { title: "1 d", age: DAY },
  { title: "3 d", age: 3 * DAY },
  { title: "1 wk", age: 7 * DAY },
  { title: "1 mo", age: 30.44 * DAY },
  { title: "3 mo", age: 91.3 * DAY },
  { title: "1 y", age: 365.25 * DAY },
  { title: "3 y", age: 3 * 365.25 * DAY },
  { title: "10 y", age: 10 * 365.25 * DAY },
] as const;

/** Below this age the scale is nearly straight, above it logarithmic. */
const KNEE = 3 * HOUR;
/** Past this many snapshots, those that would fall on one pixel are drawn once. */
const BIN_FROM = 300;

/** How far back the ruler must reach for the oldest of these ages, in ms: to the next mark, a week at least. */
export function rulerReach(ages: readonly number[]): number {
  const oldest = ages.reduce((max, age) => Math.max(max, age), 7 * DAY);
  return RULER_MARKS.find((mark) => mark.age >= oldest)?.age ?? oldest;
}

/** Place on the ruler from 0 (oldest, left) to 1 (now, right). */
export function rulerPlace(age: number, reach: number): number {
  const clamped = Math.min(reach, Math.max(0, age));
  return 1 - Math.log1p(clamped / KNEE) / Math.log1p(reach / KNEE);
}

/** Where to draw a group's snapshots, in percent with one decimal: hundreds of them share ticks. */
export function rulerTicks(ages: readonly number[], reach: number): number[] {
  const places = ages.map((age) => Math.round(rulerPlace(age, reach) * 1000) / 10);
  return ages.length > BIN_FROM ? [...new Set(places)] : places;
}
