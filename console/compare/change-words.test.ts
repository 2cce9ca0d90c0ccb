import { expect, test } from "bun:test";
import { allOf, growth } from "./change-words.ts";

test("what something grew by carries its sign, nothing as well", () => {
  expect([1.5 * 1024 ** 3, -300 * 1024 ** 2, 0].map(growth)).toEqual(["+1.50 GiB", "−300 MiB", "±0 B"]);
});

test("all changes are those of every kind together", () => {
  expect(allOf({ added: 1, removed: 2, modified: 4, metadata: 8, type_changed: 16 })).toBe(31);
});
