/**
 * Says yes at most once in `ms` milliseconds, and the first time.
 *
 * @param now milliseconds since 1970. A clock that was set back by hours counts as time gone by, or nothing would be told for hours.
 */
export function pace(ms: number, now: () => number): () => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const at = now();
    if (Math.abs(at - last) < ms) return false;
    last = at;
    return true;
  };
}
