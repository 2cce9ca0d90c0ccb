import type { Log } from "../log.ts";

/** What the process ends with. systemd is told not to restart after `misconfigured`: a person has to act first. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** sysexits' EX_CONFIG: not enrolled, or a damaged file. */
  misconfigured: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** One flag: what it says in the help, and whether a value follows. */
export interface Flag {
  /** Stands for the value in the help, such as `URL`; absent for a switch. */
  value?: string;
  summary: string;
}

export type FlagValues = Record<string, string | boolean | undefined>;

export interface CommandContext {
  flags: FlagValues;
  env: Record<string, string | undefined>;
  log: Log;
  /** Writes a line for the person who typed the command. */
  say: (line: string) => void;
  /** Aborted by SIGINT and SIGTERM. */
  signal: AbortSignal;
}

export interface Command {
  summary: string;
  flags: Record<string, Flag>;
  run: (context: CommandContext) => Promise<ExitCode>;
}

/** Where the agent's files are; every command that touches them takes these. */
export const FOLDER_FLAGS = {
  "config-dir": { value: "FOLDER", summary: "where agent.yaml and secrets.enc are" },
  "state-dir": { value: "FOLDER", summary: "where agent.db and restic's cache are" },
} as const satisfies Record<string, Flag>;

/** The text given with a flag; `undefined` when it was not given. */
export function text(flags: FlagValues, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" && value !== "" ? value : undefined;
}
