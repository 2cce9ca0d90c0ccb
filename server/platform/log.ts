import { inspect } from "node:util";
import { instant, type Clock } from "./clock.ts";

export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** The server's own log: one line per event. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  /** @param error whatever was thrown; its stack and causes are in the line. */
  error(message: string, error?: unknown, fields?: LogFields): void;
  /** From now on `secret` is written as `[secret]`, wherever it appears. */
  redact(secret: string): void;
}

/** A longer line is cut: nobody reads it, and a loop must not fill a disk with few of them. */
const LINE_CHARACTERS = 8_192;
/** A shorter secret would blacken ordinary words. */
const SHORTEST_SECRET = 6;

/**
 * A log of lines such as `2026-11-21T12:00:00.000Z info listening url="http://…"`.
 *
 * @param write takes a whole line with its line break; standard error unless told.
 */
export function createLog(clock: Clock, write: (line: string) => void = toStandardError): Log {
  const secrets = new Set<string>();
  const line = (level: string, message: string, fields: LogFields) => {
    const pairs = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${typeof value === "string" ? JSON.stringify(value) : String(value)}`);
    let text = `${instant(clock.now())} ${level} ${oneLine(message)}${pairs.join("")}`;
    for (const secret of secrets) text = text.replaceAll(secret, "[secret]");
    write(`${text.length > LINE_CHARACTERS ? `${text.slice(0, LINE_CHARACTERS)}… (cut)` : text}\n`);
  };
  return {
    info: (message, fields = {}) => line("info", message, fields),
    warn: (message, fields = {}) => line("warn", message, fields),
    error: (message, error, fields = {}) =>
      line("error", message, { ...fields, error: error === undefined ? undefined : inWords(error) }),
    redact(secret) {
      if (secret.length >= SHORTEST_SECRET) secrets.add(secret);
    },
  };
}

function toStandardError(line: string): void {
  process.stderr.write(line);
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is replaced
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, " ");
}

function inWords(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === "string" ? error : inspect(error, { depth: 4 });
  const code = "code" in error ? ` (${String(error.code)})` : "";
  const cause = error.cause === undefined ? "" : `; caused by ${inWords(error.cause)}`;
  return `${error.stack ?? error.message}${code}${cause}`;
}
