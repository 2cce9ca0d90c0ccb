import { expect, test } from "bun:test";
import { leastOfEachMinute, slopePerHour } from "./slope.ts";

test("a line has its own slope, whatever its height, and what stands still has none", () => {
  const line = [0, 1, 2, 3].map((minute) => ({ minute, value: 200 + minute * 2 }));
  expect(slopePerHour(line)).toBeCloseTo(120);
  expect(slopePerHour(line.map(({ minute }) => ({ minute, value: 7 })))).toBe(0);
  expect(slopePerHour([{ minute: 1, value: 5 }])).toBe(0);
});

test("a heap that swings between collections counts by where it comes back to", () => {
  const readings = Array.from({ length: 60 }, (_, at) => ({
    minute: at / 6,
    value: 100 + (at % 6 === 0 ? 0 : at * 3),
  }));
  const least = leastOfEachMinute(readings);
  expect(least).toHaveLength(10);
  expect(slopePerHour(least)).toBeCloseTo(0);
});
