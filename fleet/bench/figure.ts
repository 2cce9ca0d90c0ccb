/** One line of a benchmark: what was measured, against what, and whether it is good enough. */
export interface Figure {
  /** `bench.what`, stable: people compare it over releases. */
  name: string;
  value: number;
  unit: "MB" | "KB" | "ms" | "s" | "µs" | "connections" | "lines/s" | "%" | "jobs" | "bytes";
  /** The same measured of the thing we compare with, in the same run; null where there is none. */
  baseline: number | null;
  /** value / baseline; for paired runs the median of the pairs' ratios, which a drifting machine does not move. */
  ratio: number | null;
  /** Such as `value <= 40` or `ratio <= 1.03`; null for what is only told. */
  target: string | null;
  met: boolean | null;
}

/** What a figure must not exceed, or must reach. */
export type Target = { of: "value" | "ratio" } & ({ most: number } | { least: number });

/** Makes a figure; `ratio` is worked out unless the caller has a better one. */
export function figure(
  name: string,
  measured: { value: number; unit: Figure["unit"]; baseline?: number; ratio?: number },
  target?: Target,
): Figure {
  const { value, unit, baseline } = measured;
  const ratio = measured.ratio ?? (baseline === undefined ? null : value / baseline);
  const judged = target?.of === "ratio" ? ratio : value;
  return {
    name,
    value: round(value),
    unit,
    baseline: baseline === undefined ? null : round(baseline),
    ratio: ratio === null ? null : round(ratio),
    target: target === undefined ? null : wordsOf(target),
    met: target === undefined || judged === null ? null : reaches(judged, target),
  };
}

function wordsOf(target: Target): string {
  return "most" in target ? `${target.of} <= ${target.most}` : `${target.of} >= ${target.least}`;
}

function reaches(judged: number, target: Target): boolean {
  return "most" in target ? judged <= target.most : judged >= target.least;
}

/** The middle one; of an even number the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? Number.NaN;
  return Number.isInteger(half) ? ((sorted[half - 1] ?? Number.NaN) + upper) / 2 : upper;
}

/** The 99th percentile: of fewer than a hundred values the largest. NaN for none. */
export function p99Of(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * 0.99) - 1)] ?? Number.NaN;
}

export const HEADINGS = ["figure", "value", "baseline", "ratio", "target", "met"] as const;

/** The figures as rows of words, under {@link HEADINGS}. */
export function rowsOf(figures: readonly Figure[]): string[][] {
  return figures.map(({ name, value, unit, baseline, ratio, target, met }) => [
    name,
    `${value} ${unit}`,
    baseline === null ? "" : `${baseline} ${unit}`,
    ratio === null ? "" : String(ratio),
    target?.replace("<=", "≤").replace(">=", "≥") ?? "",
    met === null ? "" : met ? "yes" : "NO",
  ]);
}

/** The figures as a table for people. */
export function describeFigures(figures: readonly Figure[]): string {
  const rows = [[...HEADINGS], ...rowsOf(figures)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Three decimals are more than any figure here deserves. */
function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
