import { lostByte } from "./snapshot-id.ts";

/**
 * A name's bytes as restic's JSON has them: each single byte that is part of no UTF-8 character is U+FFFD. The runtime's own decoder makes
 * one of several.
 */
export function asListed(name: Uint8Array): string {
  const bytes = Buffer.from(name);
  const whole = bytes.toString("utf8");
  if (Buffer.from(whole).equals(bytes)) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const length = [1, 2, 3, 4].find((some) => {
      const part = bytes.subarray(start, start + some);
      return part.length === some && Buffer.from(part.toString("utf8")).equals(part);
    });
    text += length === undefined ? lostByte : bytes.subarray(at, at + length).toString("utf8");
    at += length ?? 1;
  }
  return text;
}
