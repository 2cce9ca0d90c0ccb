import type { LogGap } from "./log-source.ts";

/** A row of the log: a line by its number, or a cut. */
export type LogRow = { kind: "line"; n: number } | { kind: "gap"; gap: LogGap };

/** Rows and lines, both ways, without a list as long as the log. */
export interface LogRows {
  count: number;
  at: (index: number) => LogRow | undefined;
  /** The row that shows line `n`, or the nearest one after it. */
  indexOf: (n: number) => number;
}

/** All lines up to `end` in order, each cut as one row. `gaps` are in order and do not overlap. */
export function allRows(end: number, gaps: readonly LogGap[]): LogRows {
  const missing = gaps.reduce((sum, gap) => sum + gap.count, 0);
  return {
    count: Math.max(0, end - missing) + gaps.length,
    at(index) {
      if (index < 0) return undefined;
      let n = index;
      for (const gap of gaps) {
        if (n < gap.first_line) break;
        if (n === gap.first_line) return { kind: "gap", gap };
        n += gap.count - 1;
      }
      return n < end ? { kind: "line", n } : undefined;
    },
    indexOf(n) {
      let index = n;
      for (const gap of gaps) {
        if (n < gap.first_line) break;
        if (n < gap.first_line + gap.count) return index - (n - gap.first_line);
        index -= gap.count - 1;
      }
      return index;
    },
  };
}

/** Only the lines found, by their numbers in order. */
export function foundRows(numbers: readonly number[]): LogRows {
  return {
    count: numbers.length,
    at(index) {
      const n = numbers[index];
      return n === undefined ? undefined : { kind: "line", n };
    },
    indexOf(n) {
      let low = 0;
      let high = numbers.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((numbers[middle] ?? Infinity) < n) low = middle + 1;
        else high = middle;
      }
      return low;
    },
  };
}
