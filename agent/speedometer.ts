/** Bytes per second over the last few reports, which come about once a second; undefined before there are two. */
export function speedometer(now: () => number): (bytesDone: number) => number | undefined {
  const seen: { at: number; bytes: number }[] = [];
  return (bytes) => {
    seen.push({ at: now(), bytes });
    if (seen.length > 6) seen.shift();
    const [first] = seen;
    const last = seen.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < 500) return undefined;
    return Math.max(0, Math.round(((last.bytes - first.bytes) * 1_000) / (last.at - first.at)));
  };
}
