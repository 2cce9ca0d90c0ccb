import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  changeListOf,
  CHANGE_KINDS,
  compareHref,
  readCompareSearch,
  type CompareSearch,
} from "./compare-search.ts";

const search: fc.Arbitrary<CompareSearch> = fc.record(
  {
    kind: fc.constantFrom(...CHANGE_KINDS),
    q: fc.string({ unit: "grapheme", minLength: 1 }),
    below: fc.string({ unit: "grapheme", minLength: 1 }).map((text) => `/${text}`),
  },
  { requiredKeys: [] },
);
const readBack = (href: string) =>
  readCompareSearch(Object.fromEntries(new URL(href, "http://here").searchParams));

test("what a comparison's address says is read back as it was", () => {
  fc.assert(
    fc.property(search, (one) => {
      const well = Object.values(one).every((text) => text.isWellFormed());
      if (well && one.below !== "/") expect(readBack(compareHref("J", one))).toEqual(one);
    }),
  );
});

test("an address that says nonsense is the whole list", () => {
  expect(readCompareSearch({ kind: "grown", q: "", below: "etc" })).toEqual({});
  expect(readCompareSearch({ kind: 3, below: "/" })).toEqual({});
  expect(compareHref("J", {})).toBe("/jobs/J");
});

test("what was typed is asked for without the spaces around it, and not at all when it is only spaces", () => {
  expect(changeListOf({ q: " a b ", kind: "added" })).toEqual({ q: "a b", kind: "added" });
  expect(changeListOf({ q: "  ", below: "/etc" })).toEqual({ below: "/etc" });
});
