import fc from "fast-check";

/**
 * How often a property is tried: `usual` times, or that many times the whole number in `RM_TEST_RUNS` for a long search. Spread it
 * into the parameters of `fc.assert`.
 */
export function runs(usual: number): { numRuns: number } {
  const more = Number(process.env.RM_TEST_RUNS ?? "1");
  return { numRuns: Math.max(1, Math.round(usual * (Number.isFinite(more) ? more : 1))) };
}

/** JSON values, as text, that have broken readers before: some cannot be written by `JSON.stringify`. */
const AWKWARD = [
  "null",
  "true",
  "0",
  "-0",
  "-1",
  "1.5",
  "1e308",
  "-1e308",
  "1e400",
  "9007199254740991",
  "9007199254740993",
  "18446744073709551616",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"__proto__"',
  '"2026-02-31T00:00:00.000Z"',
  '"+275760-09-13T00:00:00.000Z"',
  '"0000-01-01T00:00:00.000Z"',
  "{}",
  "[]",
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":null,"valueOf":null,"then":1}',
  '{"":{"":[{}]}}',
  '{"\\u0000":"\\u0000"}',
  `"${"x".repeat(70_000)}"`,
  `{"${"k".repeat(10_000)}":1}`,
  `${"[".repeat(20_000)}${"]".repeat(20_000)}`,
  `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
];

/** One awkward JSON value, as text. */
export const awkwardJson = fc.constantFrom(...AWKWARD);

/** Text that is hardly ever a message: noise, halves of characters, lone JSON values. */
export const noiseText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.json({ maxDepth: 4 }),
  awkwardJson,
  awkwardJson.map((json) => `{"type":${json}}`),
);

/**
 * Messages that were whole once: one value anywhere in them is an awkward one, or a field more has come, or the text is cut or
 * doubled somewhere.
 */
export function mutated(whole: fc.Arbitrary<object>): fc.Arbitrary<string> {
  const swapped = fc
    .tuple(whole, fc.nat(), awkwardJson)
    .map(([message, at, json]) => withSwapped(message, at, json));
  const grown = fc
    .tuple(whole, fc.constantFrom("__proto__", "constructor", "type", "seq", "message", ""), awkwardJson)
    .map(([message, key, json]) => JSON.stringify(message).replace(/\}$/, `,"${key}":${json}}`));
  const damaged = fc.tuple(whole, fc.nat(), fc.nat(20)).map(([message, at, length]) => {
    const text = JSON.stringify(message);
    const from = at % text.length;
    return text.slice(0, from) + text.slice(from + length);
  });
  return fc.oneof({ weight: 3, arbitrary: swapped }, grown, damaged);
}

const HERE = "\u2603here\u2603";

/** `message` as JSON in which the `at`-th value, counted round, is the text `json`. */
function withSwapped(message: object, at: number, json: string): string {
  let seen = 0;
  const counted = (key: string, value: unknown, target: number): unknown => {
    // The whole message comes first, under no name.
    if (key === "" && value === message) return value;
    seen += 1;
    return seen - 1 === target ? HERE : value;
  };
  JSON.stringify(message, (key, value: unknown) => counted(key, value, -1));
  const target = at % Math.max(1, seen);
  seen = 0;
  const text = JSON.stringify(message, (key, value: unknown) => counted(key, value, target));
  return text.replace(JSON.stringify(HERE), () => json);
}

/** Stands in a frame where the number belongs that would be taken next. */
export const NEXT_SEQ = 4242424242;

/** A binary frame with any header over any chunk; `claimed` is what it says of the header's length, or the truth. */
export function binaryFrame(header: string, chunk: Uint8Array, claimed?: number): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(header);
  const frame = new Uint8Array(4 + head.byteLength + chunk.byteLength);
  new DataView(frame.buffer).setUint32(0, claimed ?? head.byteLength);
  frame.set(head, 4);
  frame.set(chunk, 4 + head.byteLength);
  return frame;
}
