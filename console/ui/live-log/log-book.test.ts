import { describe, expect, test } from "bun:test";
import { LogBook } from "./log-book.ts";
import type { NumberedLine } from "./log-source.ts";

function line(n: number): NumberedLine {
  const stream = n % 10 === 9 ? "stderr" : n % 100 === 50 ? "hook_post" : "stdout";
  return { n, at: n, stream, text: `line ${n}` };
}
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(from + index));

/** A server's log of `end` lines, and what was asked of it. */
function serverWith(end: number) {
  const asked: number[] = [];
  return {
    asked,
    read: (from: number, limit: number) => {
      asked.push(from);
      return Promise.resolve({ lines: lines(from, Math.min(end, from + limit)), gaps: [], end });
    },
  };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));
const nothing = () => Promise.resolve({ lines: [], gaps: [], end: 0 });

describe("the log as the page holds it", () => {
  test("lines that come twice or out of order are there once, in order", () => {
    const book = new LogBook(nothing);
    book.add({ lines: [line(1), line(2)], gaps: [] });
    book.add({ lines: [line(0), line(1)], gaps: [] });
    expect(book.view()).toMatchObject({ end: 3, counts: { all: 3, stderr: 0, hooks: 0 } });
    expect([0, 1, 2].map((n) => book.line(n)?.text)).toEqual(["line 0", "line 1", "line 2"]);
  });

  test("lines that are not at hand are asked for once, a block at a time", async () => {
    const server = serverWith(5_000);
    const book = new LogBook(server.read);
    book.add({ lines: lines(4_990, 5_000), gaps: [], end: 5_000 });
    book.need(1_995, 2_005);
    book.need(1_995, 2_005);
    await settled();
    expect(server.asked).toEqual([1_000, 2_000]);
    expect(book.line(1_995)?.text).toBe("line 1995");
    book.need(1_000, 2_999);
    expect(server.asked).toHaveLength(2);
  });

  test("counts are told only when every line has been seen", async () => {
    const server = serverWith(2_000);
    const book = new LogBook(server.read);
    book.add({ lines: lines(1_500, 2_000), gaps: [] });
    expect(book.view().counts).toBeNull();
    const found = await book.find({ filter: "stderr", text: "" }, 0, 2_000);
    expect(found).toHaveLength(200);
    expect(book.view().counts).toEqual({ all: 2_000, stderr: 200, hooks: 20 });
  });

  test("a search reads what is not at hand and keeps none of it", async () => {
    const server = serverWith(1_000_000);
    const book = new LogBook(server.read);
    book.add({ lines: lines(999_900, 1_000_000), gaps: [] });
    const found = await book.find({ filter: "all", text: "LINE 123456" }, 0, 1_000_000);
    expect(found).toEqual([123_456]);
    expect(server.asked).toHaveLength(100);
    expect(book.line(123_456)).toBeUndefined();
  });

  test("of a million lines it keeps a window, and always the end", async () => {
    const server = serverWith(1_000_000);
    const book = new LogBook(server.read);
    book.add({ lines: lines(999_500, 1_000_000), gaps: [] });
    for (let at = 0; at < 200_000; at += 1_000) {
      book.need(at, at);
      // oxlint-disable-next-line no-await-in-loop -- a reader scrolls through one block after the other
      await settled();
    }
    expect(book.line(0)).toBeUndefined();
    expect(book.line(199_999)?.text).toBe("line 199999");
    expect(book.line(999_999)?.text).toBe("line 999999");
  });

  test("a cut that is told twice, or in two pieces, is one cut", () => {
    const book = new LogBook(nothing);
    book.add({ lines: [line(0)], gaps: [{ first_line: 1, count: 3 }] });
    book.add({
      lines: [line(6)],
      gaps: [
        { first_line: 1, count: 5 },
        { first_line: 3, count: 3 },
      ],
    });
    expect(book.view().gaps).toEqual([{ first_line: 1, count: 5 }]);
    expect(book.view()).toMatchObject({ end: 7, counts: { all: 2 } });
  });

  test("a log that cannot be read says why", async () => {
    const book = new LogBook(() => Promise.reject(new Error("The server's store is full.")));
    book.add({ lines: [], gaps: [], end: 10 });
    book.need(0, 9);
    await settled();
    expect(book.view()).toMatchObject({ phase: "failed", problem: "The server's store is full." });
  });
});
