import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keepOrder } from "./frozen-order.ts";

const row = (id: string, value = 0) => ({ id, value });
const rowsOf = (names: string) => names.split("").map((id) => row(id));
const idOf = (item: { id: string }) => item.id;
const ids = (items: readonly { id: string }[]) => items.map(idOf).join("");

describe("a list that somebody is looking at", () => {
  test("shows new values in the order it had", () => {
    const kept = keepOrder([row("a"), row("b")], [row("b", 7), row("a", 8)], idOf);
    expect(kept.rows).toEqual([row("a", 8), row("b", 7)]);
    expect(kept.changed).toBe(1);
  });

  test("a row that jumps to the top counts once, not once for each row it pushes down", () => {
    const shown = rowsOf("abcdef");
    const kept = keepOrder(shown, rowsOf("fabcde"), idOf);
    expect(ids(kept.rows)).toBe("abcdef");
    expect(kept.changed).toBe(1);
  });

  test("rows at the end are appended, rows in between and rows that went are counted", () => {
    const kept = keepOrder(rowsOf("abc"), rowsOf("axcyz"), idOf);
    expect(ids(kept.rows)).toBe("abcyz");
    expect(kept.changed).toBe(2);
  });

  test("an unchanged list has no changes, whatever is in it", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 })), (names) => {
        const rows = names.map((id) => row(id));
        expect(keepOrder(rows, rows, idOf)).toEqual({ rows, changed: 0 });
      }),
    );
  });

  test("what is shown never loses its place", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 2 }), { maxLength: 30 });
    fc.assert(
      fc.property(names, names, (before, after) => {
        const kept = keepOrder(
          before.map((id) => row(id)),
          after.map((id) => row(id, 1)),
          idOf,
        );
        expect(kept.rows.slice(0, before.length).map(idOf)).toEqual(before);
      }),
    );
  });
});
