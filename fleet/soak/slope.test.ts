import { expect, test } from "bun:test";
import { leastOfEachMinute, trendOf } from "./slope.ts";

test("a line has its own slope, whatever its height, and what stands still has none", () => {
  const line = [0, 1, 2, 3].map((minute) => ({ minute, value: 200 + minute * 2 }));
  expect(trendOf(line).perHour).toBeCloseTo(120);
  expect(trendOf(line).error).toBeCloseTo(0);
  expect(trendOf(line.map(({ minute }) => ({ minute, value: 7 })))).toEqual({ perHour: 0, error: 0 });
  expect(trendOf([{ minute: 1, value: 5 }])).toEqual({ perHour: 0, error: 0 });
});

test("a heap that swings between collections counts by where it comes back to", () => {
  const readings = Array.from({ length: 60 }, (_, at) => ({
    minute: at / 6,
    value: 100 + (at % 6 === 0 ? 0 : at * 3),
  }));
  const least = leastOfEachMinute(readings);
  expect(least).toHaveLength(10);
  expect(trendOf(least).perHour).toBeCloseTo(0);
});

test("a line through noise has an error as wide as the noise allows, and a leak stands out of it", () => {
  const noise = [3, -4, 1, 5, -2, -5, 4, 0, -3, 2, 5, -1, -4, 3, 1, -5, 2, 4, -2, -1];
  const still = trendOf(noise.map((value, minute) => ({ minute, value: 160 + value })));
  expect(Math.abs(still.perHour)).toBeLessThan(2 * still.error);
  const leak = trendOf(noise.map((value, minute) => ({ minute, value: 160 + value + minute })));
  expect(leak.perHour - 2 * leak.error).toBeGreaterThan(30);
});
