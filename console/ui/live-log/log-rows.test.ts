import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allRows, foundRows } from "./log-rows.ts";

describe("the rows of a log", () => {
  test("a cut is one row where its lines would be", () => {
    const rows = allRows(10, [{ first_line: 3, count: 4 }]);
    expect(rows.count).toBe(7);
    expect(Array.from({ length: 7 }, (_, index) => rows.at(index))).toEqual([
      { kind: "line", n: 0 },
      { kind: "line", n: 1 },
      { kind: "line", n: 2 },
      { kind: "gap", gap: { first_line: 3, count: 4 } },
      { kind: "line", n: 7 },
      { kind: "line", n: 8 },
      { kind: "line", n: 9 },
    ]);
    expect(rows.indexOf(5)).toBe(3);
    expect(rows.indexOf(7)).toBe(4);
    expect(rows.at(7)).toBeUndefined();
  });

  test("cuts at the very start, side by side and at the very end are shown", () => {
    const gaps = [
      { first_line: 0, count: 2 },
      { first_line: 2, count: 1 },
      { first_line: 5, count: 3 },
    ];
    const rows = allRows(8, gaps);
    expect(rows.count).toBe(5);
    expect(Array.from({ length: 5 }, (_, index) => rows.at(index)?.kind)).toEqual([
      "gap",
      "gap",
      "line",
      "line",
      "gap",
    ]);
  });

  const logs = fc
    .array(fc.record({ lines: fc.nat(5), lost: fc.integer({ min: 1, max: 5 }) }), { maxLength: 8 })
    .chain((parts) => fc.nat(5).map((tail) => ({ parts, tail })));

  test("whatever was lost, every line has one row and every row leads back to its line", () => {
    fc.assert(
      fc.property(logs, ({ parts, tail }) => {
        let n = 0;
        const expected: string[] = [];
        const gaps = [];
        for (const part of parts) {
          for (let i = 0; i < part.lines; i += 1) expected.push(`line ${n + i}`);
          n += part.lines;
          gaps.push({ first_line: n, count: part.lost });
          expected.push(`gap ${n}`);
          n += part.lost;
        }
        for (let i = 0; i < tail; i += 1) expected.push(`line ${n + i}`);
        const rows = allRows(n + tail, gaps);
        const seen = Array.from({ length: rows.count }, (_, index) => {
          const row = rows.at(index);
          if (row?.kind === "line") expect(rows.indexOf(row.n)).toBe(index);
          return row?.kind === "line" ? `line ${row.n}` : `gap ${row?.gap.first_line}`;
        });
        expect(seen).toEqual(expected);
      }),
    );
  });

  test("found lines are rows of their own, and a line that was not found leads to the next one that was", () => {
    const rows = foundRows([2, 7, 9]);
    expect(rows.count).toBe(3);
    expect(rows.at(1)).toEqual({ kind: "line", n: 7 });
    expect(rows.indexOf(7)).toBe(1);
    expect(rows.indexOf(3)).toBe(1);
    expect(rows.indexOf(10)).toBe(3);
  });
});
