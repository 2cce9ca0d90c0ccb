import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { countRows, indexOfRow, rowAt, type OpenFolder, type TreeRow } from "./tree-rows.ts";

/** Every row, the slow way. */
function all(folder: OpenFolder, level = 1): TreeRow[] {
  return Array.from({ length: folder.rows }, (_, at) => at).flatMap((at) => {
    const inner = folder.open.find((one) => one.at === at);
    return [{ folder: folder.path, at, level }, ...(inner === undefined ? [] : all(inner.folder, level + 1))];
  });
}

let named = 0;
const tree: fc.Arbitrary<OpenFolder> = fc.letrec<{ folder: OpenFolder }>((tie) => ({
  folder: fc
    .record({
      rows: fc.integer({ min: 1, max: 6 }),
      inner: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie("folder"), { maxLength: 3 })),
      places: fc.uniqueArray(fc.nat(5), { maxLength: 3 }),
    })
    .map(({ rows, inner, places }) => ({
      path: `/${(named += 1)}`,
      rows,
      open: places
        .filter((at) => at < rows)
        .toSorted((a, b) => a - b)
        .flatMap((at, i) => {
          const folder = inner[i];
          return folder === undefined ? [] : [{ at, folder: { ...folder, path: `/${(named += 1)}` } }];
        }),
    })),
})).folder;

describe("a tree's rows", () => {
  test("are those that a list of all of them would have", () => {
    fc.assert(
      fc.property(tree, (root) => {
        const rows = all(root);
        expect(countRows(root)).toBe(rows.length);
        expect(rows.map((_, index) => rowAt(root, index))).toEqual(rows);
        expect(rowAt(root, rows.length)).toBeUndefined();
        expect(rowAt(root, -1)).toBeUndefined();
      }),
    );
  });

  test("are found again by what they show", () => {
    fc.assert(
      fc.property(tree, (root) => {
        for (const [index, row] of all(root).entries())
          expect(indexOfRow(root, row.folder, row.at)).toBe(index);
      }),
    );
  });

  test("of half a million things are found without walking them", () => {
    const inner = { path: "/a/b", rows: 500_000, open: [] };
    const root = { path: "/", rows: 3, open: [{ at: 1, folder: inner }] };
    expect(countRows(root)).toBe(500_003);
    expect(rowAt(root, 499_999)).toEqual({ folder: "/a/b", at: 499_997, level: 2 });
    expect(rowAt(root, 500_002)).toEqual({ folder: "/", at: 2, level: 1 });
  });
});
