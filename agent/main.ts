import { parseArgs } from "node:util";
import { type Command, EXIT, type ExitCode, type Flag, type FlagValues } from "./commands/command.ts";
import { enrollCommand } from "./commands/enroll.ts";
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
  const flags = parseFlags(name, command, rest);
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

/** The flags' values, or a sentence that says what is wrong. The sentence holds no value: one may be a token. */
function parseFlags(name: string, command: Command, argv: string[]): FlagValues | string {
  const known = new Map([
    ...Object.entries(command.flags),
    ["help", undefined],
    ["debug", undefined],
  ] as const);
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {};
  for (const [flag, { value }] of Object.entries(command.flags)) {
    options[flag] = { type: value === undefined ? "boolean" : "string" };
  }
  options["help"] = { type: "boolean", short: "h" };
  options["debug"] = { type: "boolean" };
  const { tokens, values } = parseArgs({
    args: argv,
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") return `${name} takes flags only; what stands alone is not understood.`;
    if (token.kind !== "option") continue;
    if (!known.has(token.name)) return `${name} does not know the flag ${token.rawName}.`;
    const takesValue = options[token.name]?.type === "string";
    if (takesValue && (token.value === undefined || token.value.startsWith("--")))
      return `${token.rawName} needs a value.`;
    if (!takesValue && token.value !== undefined) return `${token.rawName} takes no value.`;
  }
  const flags: FlagValues = {};
  for (const [flag, value] of Object.entries(values)) if (!Array.isArray(value)) flags[flag] = value;
  return flags;
}

function usage(): string {
  const rows = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`);
  return `Usage: ${NAME} COMMAND [FLAGS]\n\n${rows.join("\n")}\n\n${NAME} COMMAND --help says more.`;
}

function usageOf(name: string, command: Command): string {
  const flags: Record<string, Flag> = { ...command.flags, debug: { summary: "say more" } };
  const rows = Object.entries(flags).map(([flag, { value, summary }]) => {
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
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: endOnSignal(),
  });
  process.exit(code);
}
