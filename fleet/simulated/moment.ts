/**
 * Milliseconds since 1970 with fractions: the same scale in every process of this machine, which `performance.now` and Bun's
 * `hrtime` (both begin with the process) are not. Not moved by a clock that is set while the process runs.
 */
export function moment(): number {
  return performance.timeOrigin + performance.now();
}
