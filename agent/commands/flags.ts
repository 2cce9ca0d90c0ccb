import type { Flag, FlagValues } from "./command.ts";

/**
 * Reads `--flag value`, `--flag=value` and `--switch`; the last one of a name counts. Answers the values, or a sentence that
 * says what is wrong; the sentence repeats no value, for one may be a token.
 *
 * Written out because node:util's parser keeps 2.5 MB of an agent that may take 40.
 */
export function parseFlags(
  command: string,
  known: Record<string, Flag>,
  argv: readonly string[],
): FlagValues | string {
  const values: FlagValues = {};
  const left = [...argv];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === "-h") word = "--help";
    if (!word.startsWith("--") || word === "--") {
      return `${command} takes flags only; what stands alone is not understood.`;
    }
    const equals = word.indexOf("=");
    const raw = equals === -1 ? word : word.slice(0, equals);
    const name = raw.slice(2);
    const flag = Object.hasOwn(known, name) ? known[name] : undefined;
    if (flag === undefined) return `${command} does not know the flag ${raw}.`;
    if (flag.value === undefined) {
      if (equals !== -1) return `${raw} takes no value.`;
      values[name] = true;
      continue;
    }
    const value = equals === -1 ? left.shift() : word.slice(equals + 1);
    if (value === undefined || value === "" || (equals === -1 && value.startsWith("--"))) {
      return `${raw} needs a value.`;
    }
    values[name] = value;
  }
  return values;
}
