import { expect, test } from "bun:test";
import fc from "fast-check";
import { lineSplitter, maxLineBytes, type Line } from "./lines.ts";

function split(bytes: Uint8Array, cuts: readonly number[], maxBytes?: number): Line[] {
  const splitter = lineSplitter(maxBytes);
  const lines: Line[] = [];
  let from = 0;
  for (const at of [...cuts].sort((a, b) => a - b)) {
    lines.push(...splitter.push(bytes.slice(from, at)));
    from = at;
  }
  lines.push(...splitter.push(bytes.slice(from)), ...splitter.end());
  return lines;
}

const texts = (lines: Line[]): string[] => lines.map((line) => line.text);

/** What the splitter should give, said in the simplest way: over the whole text, with no bound. */
function model(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  let current: number[] = [];
  let afterCr = false;
  const take = (): void => {
    lines.push(Buffer.from(current).toString("utf8"));
    current = [];
  };
  for (const byte of bytes) {
    if (byte === 10 && afterCr) afterCr = false;
    else if (byte === 10) take();
    else if (byte === 13) {
      if (current.length > 0) take();
      afterCr = true;
    } else {
      current.push(byte);
      afterCr = false;
    }
  }
  if (current.length > 0) take();
  return lines;
}

// Newlines, carriage returns and broken UTF-8 often; escape never, because the model leaves it in.
const byte = fc.oneof(
  fc.constantFrom(10, 13, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80, 0xff),
  fc.integer({ min: 32, max: 126 }),
);
const bytesArb = fc.array(byte, { maxLength: 120 }).map((list) => Uint8Array.from(list));
const cutsArb = fc.array(fc.nat(120), { maxLength: 12 });

test("any bytes, cut anywhere, give the same lines as in one piece", () => {
  fc.assert(
    fc.property(bytesArb, cutsArb, (bytes, cuts) => {
      expect(texts(split(bytes, cuts))).toEqual(model(bytes));
    }),
    { numRuns: 2000 },
  );
});

test("no line is longer than the bound, and a shorter one is whole", () => {
  fc.assert(
    fc.property(bytesArb, cutsArb, fc.integer({ min: 1, max: 20 }), (bytes, cuts, bound) => {
      const lines = split(bytes, cuts, bound);
      const whole = model(bytes);
      expect(lines.length).toBe(whole.length);
      for (const [i, line] of lines.entries()) {
        const full = whole[i] ?? "";
        if (line.cut) expect(full.startsWith(line.text)).toBe(true);
        else expect(line.text).toBe(full);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a cut line keeps whole characters only", () => {
  expect(split(Buffer.from("aé€😀\n"), [], 4)).toEqual([{ text: "aé", cut: true }]);
  expect(split(Buffer.from("aé€😀\n"), [], 9)).toEqual([{ text: "aé€", cut: true }]);
  expect(split(Buffer.from("aé€😀\n"), [], 10)).toEqual([{ text: "aé€😀", cut: false }]);
});

test("progress redrawn with carriage returns becomes lines without empty ones", () => {
  expect(texts(split(Buffer.from("\r10%\r20%\r\ndone\n\nend"), []))).toEqual([
    "10%",
    "20%",
    "done",
    "",
    "end",
  ]);
});

test("terminal control of 0.18 is removed", () => {
  expect(texts(split(Buffer.from("\u001b[2Ksignal terminated received\n"), []))).toEqual([
    "signal terminated received",
  ]);
});

test("256 MiB without a newline stay within one bounded line", () => {
  const splitter = lineSplitter();
  const chunk = new Uint8Array(1024 * 1024).fill(97);
  Bun.gc(true);
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 256; i++) expect(splitter.push(chunk)).toEqual([]);
  const [line] = splitter.end();
  expect(line?.cut).toBe(true);
  expect(line?.text.length).toBe(maxLineBytes);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
});
