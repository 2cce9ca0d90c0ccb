/** Chance that can be had again: the same seeds give the same numbers, on every machine. */
export interface Seeded {
  /** 0 ≤ x < 1. */
  number(): number;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  chance(of: number): boolean;
  /** One of them. Throws when there is none. */
  pick<T>(these: readonly T[]): T;
  bytes(count: number): Uint8Array<ArrayBuffer>;
}

/** @param seeds any numbers; each changes everything that follows. */
export function seeded(...seeds: number[]): Seeded {
  // splitmix32, by Guy Steele and others: small, and good enough for choosing.
  let state = seeds.reduce((mixed, seed) => mix(mixed ^ mix(seed | 0)), 0x9e3779b9);
  const number = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  };
  const whole = (least: number, most: number): number => least + Math.floor(number() * (most - least + 1));
  return {
    number,
    whole,
    chance: (of) => number() < of,
    pick(these) {
      const one = these[whole(0, these.length - 1)];
      if (one === undefined) throw new Error("nothing to pick from");
      return one;
    },
    bytes: (count) => Uint8Array.from({ length: count }, () => whole(0, 255)),
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}
