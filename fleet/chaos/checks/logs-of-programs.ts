import { readFileSync } from "node:fs";

/** Words of a program that stumbled over itself, not over the world. */
const STUMBLED =
  /\b(TypeError|ReferenceError|RangeError|SyntaxError|UnhandledPromiseRejection|Segmentation fault|panic|oh no: Bun has crashed)\b|is not a function|undefined is not an object/;

/** What nothing here gives reason for: nobody is silent for so long, whatever the clocks say, and there is no second machine. */
const UNFOUNDED = /nothing was heard from this agent for too long|Another machine is connected/;

/** Looks for signs of defects in what a program wrote since `from`. Answers them and where it ended. */
export function checkProgramLog(path: string, from: number): { wrong: string[]; read: number } {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return { wrong: [], read: from };
  }
  const wrong = text
    .slice(from)
    .split("\n")
    .filter((line) => STUMBLED.test(line) || UNFOUNDED.test(line))
    .map((line) => `${path} says: ${line.slice(0, 400)}`);
  return { wrong, read: text.length };
}
