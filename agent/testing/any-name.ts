import fc from "fast-check";

/** What means something to a pattern, a shell or a decoder, so that names get alike. */
const special = Buffer.from(" \n\r\t*?[]^-\\$#!{}~'\"ab\u00a0\ufffd\xe9", "latin1");

/** Any name that a disk can hold, of up to eight bytes, each as the character of its number (latin1). */
export const anyName = fc
  .array(fc.oneof(fc.constantFrom(...special), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((bytes) => Buffer.from(bytes).toString("latin1"))
  .filter((text) => !text.includes("/") && text !== "." && text !== "..");

/** A name as restic's JSON has it: every single byte that is no UTF-8 is U+FFFD. The runtime's own decoder makes one of several. */
export function asListed(latin1: string): string {
  const bytes = Buffer.from(latin1, "latin1");
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((some) => {
      const part = bytes.subarray(at, at + some);
      return part.length === some && Buffer.from(part.toString("utf8")).equals(part);
    });
    text += length === undefined ? "\ufffd" : bytes.subarray(at, at + length).toString("utf8");
    at += length ?? 1;
  }
  return text;
}
