/** Least urgent first. `debug` is left out unless asked for. */
const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];
export type LogFields = Record<string, string | number | boolean | null | undefined | Error>;

/** Tells what the agent does, one line per event. Keeps every secret it was told about out of those lines. */
export interface Log {
  debug: (message: string, fields?: LogFields) => void;
  info: (message: string, fields?: LogFields) => void;
  warn: (message: string, fields?: LogFields) => void;
  error: (message: string, fields?: LogFields) => void;
  /** From now on `[secret]` stands for this text in every line. Shorter than 4 characters is not hidden: it is in every word. */
  hide: (secret: string) => void;
  /** The text with every known secret replaced. */
  redact: (text: string) => string;
}

export interface LogOptions {
  /** Gets one line with its newline. */
  write: (line: string) => void;
  now: () => Date;
  /** systemd's journal reads the lines: it knows the time and takes the level as `<4>`. */
  journal: boolean;
  /** The least urgent level that is written; `info` when left out. */
  level?: LogLevel;
}

/** sd-daemon(3): syslog's numbers. */
const PRIORITY = { debug: 7, info: 6, warn: 4, error: 3 } as const satisfies Record<LogLevel, number>;
const SHORTEST_SECRET = 4;

/** Makes a log. Never throws: a line that cannot be written is lost. */
export function createLog(options: LogOptions): Log {
  const forms: string[] = [];
  const least = LEVELS.indexOf(options.level ?? "info");

  function redact(text: string): string {
    let clean = text;
    for (const form of forms) clean = clean.replaceAll(form, "[secret]");
    return clean;
  }

  function hide(secret: string): void {
    if (secret.length < SHORTEST_SECRET) return;
    // As it stands, as it stands in JSON, and as it stands in a URL.
    for (const form of [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret.toWellFormed()),
    ]) {
      if (!forms.includes(form)) forms.push(form);
    }
    // The longest first, so that no part of one is left beside the mark of another.
    forms.sort((a, b) => b.length - a.length);
  }

  function log(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LEVELS.indexOf(level) < least) return;
    let line = redact(message).replaceAll(CONTROL, " ");
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined) line += ` ${key}=${quote(redact(inWords(value)))}`;
    }
    const head = options.journal ? `<${PRIORITY[level]}>` : `${options.now().toISOString()} ${level} `;
    try {
      options.write(`${head}${line}\n`);
    } catch {
      // Nobody listens any more; backups go on.
    }
  }

  return {
    debug: (message, fields) => log("debug", message, fields),
    info: (message, fields) => log("info", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    error: (message, fields) => log("error", message, fields),
    hide,
    redact,
  };
}

// oxlint-disable-next-line no-control-regex -- a line break in a message must not start a line of its own
const CONTROL = /[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g;

function inWords(value: string | number | boolean | null | Error): string {
  return value instanceof Error ? value.message : String(value);
}

/** Bare when nothing in it could be misread, else as a JSON string on one line. */
function quote(value: string): string {
  if (/^[^\s"=\\\p{C}]+$/u.test(value)) return value;
  return JSON.stringify(value).replaceAll(CONTROL, " ");
}
