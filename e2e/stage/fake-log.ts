/** What the agent makes of one run of the scripted restic over `/srv/data` that prints `lines` files: lines and beginnings of lines. */
const LAST = [
  /^Files: /,
  /^Dirs: /,
  /^Added to the repository: /,
  /^processed /,
  /^snapshot [0-9a-f]{8} saved$/,
];

function begun(lines: number): string[] {
  const files = Array.from({ length: lines }, (_, i) => `new       /srv/data/file${i + 1} (100 B added)`);
  return ["start scan of /srv/data", ...files];
}

/** Why this is not the log of a whole run; undefined when it is, to the line. */
export function notWhole(log: string[], lines: number): string | undefined {
  const expected = begun(lines);
  if (log.length !== expected.length + LAST.length)
    return `${log.length} lines instead of ${expected.length + LAST.length}`;
  const wrong = expected.findIndex((line, i) => line !== log[i]);
  if (wrong !== -1) return `line ${wrong} is ${JSON.stringify(log[wrong])}`;
  const odd = LAST.findIndex((pattern, i) => !pattern.test(log[expected.length + i] ?? ""));
  return odd === -1
    ? undefined
    : `line ${expected.length + odd} is ${JSON.stringify(log[expected.length + odd])}`;
}

/** Why this is not the beginning of the log of a run; undefined when it is, to the line. */
export function notBegun(log: string[], lines: number): string | undefined {
  const expected = begun(lines);
  const wrong = log.findIndex((line, i) => line !== expected[i]);
  return wrong === -1 ? undefined : `line ${wrong} is ${JSON.stringify(log[wrong])}`;
}
