import { expect, test } from "bun:test";
import fc from "fast-check";
import { DIFF_FOLDERS, DIFF_KINDS } from "@restic-manager/protocol/jobs/diff";
import { FolderSums } from "./folder-sums.ts";

const change = (path: string, kind: (typeof DIFF_KINDS)[number], before?: number, after?: number) => ({
  path,
  kind,
  is_folder: false,
  ...(before === undefined ? {} : { size_before: before }),
  ...(after === undefined ? {} : { size_after: after }),
});

test("folders with most changes come first, and of a chain with the same changes only the deepest", () => {
  const sums = new FolderSums();
  sums.add(change("/srv/www/a", "added", undefined, 10));
  sums.add(change("/srv/www/b", "removed", 4));
  sums.add(change("/srv/log/c", "modified", 7, 9));
  expect(sums.top()).toEqual([
    { path: "/srv", added: 1, removed: 1, modified: 1, metadata: 0, type_changed: 0, bytes: 8 },
    { path: "/srv/www", added: 1, removed: 1, modified: 0, metadata: 0, type_changed: 0, bytes: 6 },
    { path: "/srv/log", added: 0, removed: 0, modified: 1, metadata: 0, type_changed: 0, bytes: 2 },
  ]);
});

test("a folder's sums are those of everything below it, for any changes", () => {
  const part = fc.constantFrom("a", "b", "c");
  const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(path, fc.constantFrom(...DIFF_KINDS), fc.nat(9)), { minLength: 1 }),
      (list) => {
        const sums = new FolderSums();
        for (const [at, kind, after] of list) sums.add(change(at, kind, 0, after));
        const top = sums.top();
        expect(top.length).toBeGreaterThan(0);
        expect(top.length).toBeLessThanOrEqual(DIFF_FOLDERS);
        for (const folder of top) {
          const inside = folder.path === "/" ? list : list.filter(([at]) => at.startsWith(`${folder.path}/`));
          for (const kind of DIFF_KINDS)
            expect(folder[kind]).toBe(inside.filter(([, one]) => one === kind).length);
          expect(folder.bytes).toBe(inside.reduce((sum, [, , after]) => sum + after, 0));
        }
      },
    ),
  );
});
