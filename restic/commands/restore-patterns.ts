import { lostByte } from "./snapshot-id.ts";

/**
 * A path in a snapshot, absolute: as restic's JSON gave it (where every byte that is no UTF-8 became U+FFFD), or its real bytes.
 */
export type PickedPath = string | Uint8Array;

/**
 * A file for restic's `--include-file` with one pattern per path, each matching that path (and what is below it) and nothing
 * else. How restic reads such a file (Go's `filepath.Match`, tried out on 0.18): lines are trimmed, `#` begins a comment, `$NAME` is
 * replaced, `\ [ ] * ?` are special. So:
 * - `$` is doubled, special characters get a backslash;
 * - a line break, which no line can hold, is the class of everything but the others;
 * - white space at the end stands in a class of its own, out of the trimming's reach;
 * - U+FFFD stands in a class, where it matches exactly one byte that is no UTF-8 (or U+FFFD itself), but no other character.
 *   Two names that differ only in such bytes are restored both, unless given as bytes.
 */
export function includePatterns(paths: readonly PickedPath[]): Uint8Array {
  return Buffer.concat(paths.map((path) => Buffer.concat([pattern(path), Buffer.from("\n")])));
}

/** Why this path cannot be picked; undefined if it can. */
export function checkPickedPath(path: PickedPath): string | undefined {
  const text = typeof path === "string" ? path : Buffer.from(path).toString("latin1");
  if (!text.startsWith("/")) return "a picked path does not begin with /";
  if (text.includes("\0")) return "a picked path contains a NUL byte";
  if (typeof path === "string" && !path.isWellFormed()) return "a picked path is no valid text";
  if (text.split("/").some((part) => part === "." || part === "..")) return "a picked path contains . or ..";
  if (!/[^/]/.test(text)) return "the whole snapshot cannot be picked as a path; leave the paths out";
  return undefined;
}

// Everything but LF. NUL is in no name.
const lineBreak = "[^\u0001-\u0009\u000b-\u{10ffff}]";

/** One such pattern for a command line, where nothing is trimmed and `$` is only itself. */
export function exactPattern(path: string): string {
  return path.replace(/[\\[\]*?]/g, "\\$&").replaceAll(lostByte, `[${lostByte}]`);
}

function pattern(path: PickedPath): Buffer {
  const parts: Buffer[] = [];
  const characters = typeof path === "string" ? [...path] : [...charactersOf(Buffer.from(path))];
  for (const [i, character] of characters.entries()) {
    if (typeof character !== "string") parts.push(character);
    else if (character === "\n") parts.push(Buffer.from(lineBreak));
    else if (i === characters.length - 1 && isSpace(character)) parts.push(Buffer.from(`[${character}]`));
    // Of real bytes, U+FFFD means itself.
    else if (character === lostByte && typeof path === "string") parts.push(Buffer.from(`[${lostByte}]`));
    else if (character === "$") parts.push(Buffer.from("$$"));
    else parts.push(Buffer.from(/[\\[\]*?]/.test(character) ? `\\${character}` : character));
  }
  return Buffer.concat(parts);
}

/** Go's `unicode.IsSpace`. */
function isSpace(character: string): boolean {
  return /[\s\u0085]/.test(character);
}

/** The characters of a byte string, and each byte that is part of none. */
function* charactersOf(bytes: Buffer): Generator<string | Buffer> {
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    const part = bytes.subarray(at, at + length);
    const text = part.toString("utf8");
    const whole = Buffer.from(text).equals(part);
    yield whole ? text : bytes.subarray(at, at + 1);
    at += whole ? length : 1;
  }
}
