/** When the fleet believes to live: shortly before its zone's clocks change, so that two hours to and fro cross the change. */
export interface Era {
  name: string;
  zone: string;
  /** The instant of the change, in milliseconds since 1970. */
  change: number;
  /** What the clocks say at the beginning. */
  begin: number;
}

const BEFORE_MS = 60 * 60_000;
const ZONE = "Europe/Berlin";
const CHANGES = {
  "spring forward": Date.UTC(2027, 2, 28, 1),
  "autumn back": Date.UTC(2026, 9, 25, 1),
} as const;

/** @param seed odd ones live in autumn, even ones in spring. */
export function eraOf(seed: number): Era {
  const name = seed % 2 === 0 ? "spring forward" : "autumn back";
  const change = CHANGES[name];
  return { name, zone: ZONE, change, begin: change - BEFORE_MS };
}
