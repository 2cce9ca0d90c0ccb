const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** A size apart from its unit, so that the unit can be set quieter. */
export interface Measured {
  number: string;
  unit: string;
}

/** Bytes in binary units with three digits: 1536 is `1.50` `KiB`, 918.3 GiB is `918` `GiB`. */
export function splitBytes(bytes: number): Measured {
  let value = Math.max(0, bytes);
  let unit = 0;
  // 999.5 rounds to four digits, so it moves on to the next unit.
  while (value >= (unit === 0 ? 1024 : 999.5) && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return { number: unit === 0 ? String(Math.round(value)) : threeDigits(value), unit: UNITS[unit] ?? "B" };
}

function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  if (value < 99.95) return value.toFixed(1);
  return value.toFixed(0);
}

/** Bytes as one text: `402 GiB`. */
export function formatBytes(bytes: number): string {
  const { number, unit } = splitBytes(bytes);
  return `${number} ${unit}`;
}
