/** How a soak goes. */
export interface SoakOptions {
  minutes: number;
  agents: number;
  seed: number;
  postgres: boolean;
}

export const SOAK_USAGE =
  "script/soak [--minutes N (30)] [--agents N (2000)] [--seed N (random)] [--postgres (SQLite unless told)]";

/** Reads the command line's words; a sentence when they make no sense. */
export function soakOptions(words: readonly string[], randomSeed: number): SoakOptions | string {
  const options: SoakOptions = { minutes: 30, agents: 2_000, seed: randomSeed, postgres: false };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === "--postgres") {
      options.postgres = true;
      continue;
    }
    const name = word?.slice(2);
    if (word?.startsWith("--") !== true || (name !== "minutes" && name !== "agents" && name !== "seed"))
      return `${word} is not known: ${SOAK_USAGE}`;
    at += 1;
    const value = Number(words[at]);
    const least = name === "seed" ? 0 : 1;
    if (!Number.isInteger(value) || value < least) return `--${name} needs a number: ${SOAK_USAGE}`;
    options[name] = value;
  }
  if (options.agents > 8_000)
    return "one soak has at most 8000 agents: their simulators share a machine with the server";
  return options;
}
