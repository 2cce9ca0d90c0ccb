import { expect, test } from "bun:test";
import fc from "fast-check";
import { askInShapes, inShapes } from "./shapes.ts";

test("a list is split into few sizes, in its order, with nothing left out", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 300 }), (list) => {
      const parts = inShapes(list);
      expect(parts.flat()).toEqual(list);
      for (const part of parts) expect([64, 16, 4, 1]).toContain(part.length);
    }),
  );
});

test("the answers to the parts are joined in order", async () => {
  const list = Array.from({ length: 37 }, (_, at) => at);
  expect(await askInShapes(list, async (part) => part.map((one) => one * 2))).toEqual(
    list.map((one) => one * 2),
  );
});
