import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RULER_MARKS, rulerPlace, rulerReach, rulerTicks } from "./history-scale.ts";

const DAY = 86_400_000;

describe("the history ruler", () => {
  test("now is at the right, the oldest at the left", () => {
    expect(rulerPlace(0, 30 * DAY)).toBe(1);
    expect(rulerPlace(30 * DAY, 30 * DAY)).toBe(0);
  });

  test("a clock that runs ahead does not push a snapshot off the ruler", () => {
    expect(rulerPlace(-DAY, 30 * DAY)).toBe(1);
  });

  test("it reaches a week at least, and to the mark after the oldest snapshot", () => {
    expect(rulerReach([])).toBe(7 * DAY);
    expect(rulerReach([8 * DAY])).toBe(30.44 * DAY);
    expect(rulerReach([40 * 365 * DAY])).toBe(40 * 365 * DAY);
  });

  test("older is always further left", () => {
    const ages = fc.double({ min: 0, max: 4000 * DAY, noNaN: true });
    fc.assert(
      fc.property(ages, ages, (one, other) => {
        const [young, old] = one < other ? [one, other] : [other, one];
        expect(rulerPlace(young, 4000 * DAY)).toBeGreaterThanOrEqual(rulerPlace(old, 4000 * DAY));
      }),
    );
  });

  test("the marks on a three-year ruler are spread, none on top of another", () => {
    const reach = rulerReach([1000 * DAY]);
    const places = RULER_MARKS.filter((mark) => mark.age <= reach).map((mark) => rulerPlace(mark.age, reach));
    for (const [index, place] of places.entries()) {
      if (index > 0) expect((places[index - 1] ?? 0) - place).toBeGreaterThan(0.08);
    }
  });

  test("ten thousand snapshots become at most one tick a step", () => {
    const ages = Array.from({ length: 10_000 }, (_, index) => index * 3_600_000);
    expect(rulerTicks(ages, rulerReach(ages)).length).toBeLessThanOrEqual(1001);
    expect(rulerTicks(ages.slice(0, 300), 30 * DAY)).toHaveLength(300);
  });
});
