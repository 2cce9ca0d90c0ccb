import { expect, test } from "bun:test";
import { describeFigures, figure, median } from "./figure.ts";

test("a target is judged by the value or by the ratio, as it says", () => {
  expect(figure("a.b", { value: 39, unit: "MB", baseline: 20 }, { most: 40, of: "value" })).toEqual({
    name: "a.b",
    value: 39,
    unit: "MB",
    baseline: 20,
    ratio: 1.95,
    target: "value <= 40",
    met: true,
  });
  expect(figure("a.b", { value: 39, unit: "MB", baseline: 20 }, { most: 1.03, of: "ratio" }).met).toBe(false);
});

test("a target may be a least instead of a most", () => {
  const reached = figure("a.b", { value: 30, unit: "lines/s", baseline: 100 }, { least: 0.25, of: "ratio" });
  expect(reached).toMatchObject({ target: "ratio >= 0.25", met: true });
  expect(figure("a.b", { value: 20, unit: "lines/s", baseline: 100 }, { least: 0.25, of: "ratio" }).met).toBe(
    false,
  );
  expect(describeFigures([reached])).toContain("ratio ≥ 0.25");
});

test("the ratio of pairs outranks the ratio of medians", () => {
  expect(
    figure("a.b", { value: 3, unit: "s", baseline: 1, ratio: 1.01 }, { most: 1.03, of: "ratio" }).met,
  ).toBe(true);
});

test("a figure that could not be measured meets no target", () => {
  expect(figure("a.b", { value: Number.NaN, unit: "s" }, { most: 1, of: "value" }).met).toBe(false);
});

test("a figure without a target is only told", () => {
  expect(figure("a.b", { value: 1.23456, unit: "s" })).toMatchObject({
    value: 1.235,
    target: null,
    met: null,
  });
});

test.each([
  [[3, 1, 2], 2],
  [[4, 1, 2, 3], 2.5],
  [[7], 7],
  [[], Number.NaN],
])("the median of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

test("a missed target stands out in the table", () => {
  const table = describeFigures([figure("agent.idle", { value: 50, unit: "MB" }, { most: 40, of: "value" })]);
  expect(table.split("\n").at(-1)).toMatch(/^agent\.idle +50 MB +value ≤ 40 +NO$/);
});
