import { z } from "zod";
import { LOG_LINE_CHARACTERS } from "./limits.ts";

/** Where a line of a job's log comes from. `manager` lines are the agent's own words. */
export const LogStream = z.enum(["stdout", "stderr", "hook_pre", "hook_post", "manager"]);
export type LogStream = z.infer<typeof LogStream>;

/** One line of a job's log. `at` in milliseconds since 1970. */
export const LogLine = z.object({ at: z.number(), stream: LogStream, text: z.string() });
export type LogLine = z.infer<typeof LogLine>;

const LETTERS = {
  stdout: "o",
  stderr: "e",
  hook_pre: "b",
  hook_post: "a",
  manager: "m",
} as const satisfies Record<LogStream, string>;
const STREAMS = new Map<string, LogStream>(
  Object.entries(LETTERS).map(([stream, letter]) => [letter, LogStream.parse(stream)]),
);

/**
 * Writes one line as it stands in a chunk: time, a letter for the stream, the text, separated by tabs and ended by a
 * newline. Line breaks inside the text become spaces; a text over `LOG_LINE_CHARACTERS` is cut and says so.
 */
export function encodeLogLine(line: LogLine): string {
  let text = line.text;
  if (text.length > LOG_LINE_CHARACTERS) {
    text = `${text.slice(0, LOG_LINE_CHARACTERS)} [cut, ${text.length - LOG_LINE_CHARACTERS} characters more]`;
  }
  if (/[\n\r]/.test(text)) text = text.replaceAll(/[\n\r]+/g, " ");
  return `${Math.trunc(line.at)}\t${LETTERS[line.stream]}\t${text}\n`;
}

/** Reads the lines of one inflated chunk. A line that cannot be read is shown as it is, from `manager`. */
export function decodeLogLines(raw: string): LogLine[] {
  const lines: LogLine[] = [];
  for (const row of raw.split("\n")) {
    if (row === "") continue;
    const first = row.indexOf("\t");
    const second = row.indexOf("\t", first + 1);
    const at = Number(row.slice(0, first));
    const stream = STREAMS.get(row.slice(first + 1, second));
    if (first < 1 || second < 0 || stream === undefined || !Number.isFinite(at)) {
      lines.push({ at: 0, stream: "manager", text: row });
    } else {
      lines.push({ at, stream, text: row.slice(second + 1) });
    }
  }
  return lines;
}
