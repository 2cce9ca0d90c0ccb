import { expect, test } from "bun:test";
import { pace } from "./pace.ts";

test("lets the first through, and then one a second", () => {
  let now = 1_000_000;
  const may = pace(1_000, () => now);
  expect(may()).toBe(true);
  now += 999;
  expect(may()).toBe(false);
  now += 1;
  expect(may()).toBe(true);
});

test("goes on when the clock is set back", () => {
  let now = 1_000_000_000;
  const may = pace(1_000, () => now);
  expect(may()).toBe(true);
  now -= 2 * 3_600_000;
  expect(may()).toBe(true);
  expect(may()).toBe(false);
});
