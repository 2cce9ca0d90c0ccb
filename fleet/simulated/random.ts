/** Chance that a seed decides: 0 ≤ x < 1, the same row of numbers for the same seed everywhere. */
export type Random = () => number;

/** Chance for one purpose: give the seed and whatever tells the purpose from others. */
export function seeded(...of: (string | number)[]): Random {
  let state = Number(BigInt(Bun.hash.xxHash64(of.join("/"))) & 0xffff_ffffn);
  // Mulberry32, public domain: 32 bits of state are plenty for the words of a log.
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number from `least` to `most`, both included. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

/** One of the words. */
export function oneOf<T>(random: Random, words: readonly [T, ...T[]]): T {
  return words[Math.floor(random() * words.length)] ?? words[0];
}

/** `digits` hexadecimal digits. */
export function hex(random: Random, digits: number): string {
  let text = "";
  while (text.length < digits) text += Math.floor(random() * 16).toString(16);
  return text;
}
