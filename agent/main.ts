import { writeSync } from "node:fs";
import { type Command, EXIT, type ExitCode, type Flag } from "./commands/command.ts";
import { enrollCommand } from "./commands/enroll.ts";
import { parseFlags } from "./commands/flags.ts";
import { runCommand } from "./commands/run.ts";
import { createLog } from "./log.ts";
import { agentVersion } from "./version.ts";

const NAME = "restic-manager-agent";

const version: Command = {
  summary: "print this agent's version",
  flags: {},
  async run({ say }) {
    say(`${NAME} ${agentVersion()}`);
    return EXIT.ok;
  },
};

const help: Command = {
  summary: "say what there is",
  flags: {},
  async run({ say }) {
    say(usage());
    return EXIT.ok;
  },
};

/** THE list of commands. */
const COMMANDS = new Map<string, Command>([
  ["enroll", enrollCommand],
  ["run", runCommand],
  ["version", version],
  ["help", help],
]);
/** What every command takes. */
const COMMON_FLAGS: Record<string, Flag> = {
  debug: { summary: "say more" },
  help: { summary: "say what the command takes" },
};
const SPELLINGS = new Map([
  ["--version", "version"],
  ["--help", "help"],
  ["-h", "help"],
]);

/** What the process gives a command. */
export interface Surroundings {
  env: Record<string, string | undefined>;
  out: (text: string) => void;
  err: (text: string) => void;
  signal: AbortSignal;
}

/** Runs the command that the arguments (without the program's name) say. Answers the exit code; never throws. */
export async function main(argv: readonly string[], around: Surroundings): Promise<ExitCode> {
  const [first, ...rest] = argv;
  const name = first === undefined ? undefined : (SPELLINGS.get(first) ?? first);
  const command = name === undefined ? undefined : COMMANDS.get(name);
  if (name === undefined || command === undefined) {
    if (name !== undefined) around.err(`There is no command ${JSON.stringify(name)}.\n\n`);
    around.err(`${usage()}\n`);
    return EXIT.usage;
  }
  const flags = parseFlags(name, { ...command.flags, ...COMMON_FLAGS }, rest);
  if (typeof flags === "string") {
    around.err(`${flags}\n\n${usageOf(name, command)}\n`);
    return EXIT.usage;
  }
  const say = (line: string) => around.out(`${line}\n`);
  if (flags["help"] === true) {
    say(usageOf(name, command));
    return EXIT.ok;
  }
  const log = createLog({
    write: around.err,
    now: () => new Date(),
    journal: (around.env["JOURNAL_STREAM"] ?? "") !== "",
    level: flags["debug"] === true ? "debug" : "info",
  });
  try {
    return await command.run({ flags, env: around.env, log, say, signal: around.signal });
  } catch (error) {
    log.error(error instanceof Error ? error.message : String(error));
    return EXIT.failed;
  }
}

function usage(): string {
  const rows = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`);
  return `Usage: ${NAME} COMMAND [FLAGS]\n\n${rows.join("\n")}\n\n${NAME} COMMAND --help says more.`;
}

function usageOf(name: string, command: Command): string {
  const rows = Object.entries({ ...command.flags, ...COMMON_FLAGS }).map(([flag, { value, summary }]) => {
    const shown = value === undefined ? `--${flag}` : `--${flag} ${value}`;
    return `  ${shown.padEnd(21)} ${summary}`;
  });
  return `Usage: ${NAME} ${name} [FLAGS]\n\n${command.summary}\n\n${rows.join("\n")}`;
}

/** The first SIGINT or SIGTERM asks to end; the second one does not ask. */
function endOnSignal(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, number] of [
    ["SIGINT", 2],
    ["SIGTERM", 15],
  ] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort(new Error(`ended by ${signal}`));
    });
  }
  return stop.signal;
}

if (import.meta.main) {
  const code = await main(process.argv.slice(2), {
    env: process.env,
    // Not process.stdout and process.stderr: their streams keep 3 MB of an agent that may take 40.
    out: (text) => void writeSync(1, text),
    err: (text) => void writeSync(2, text),
    signal: endOnSignal(),
  });
  process.exit(code);
}
