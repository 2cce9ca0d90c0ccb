import { readFileSync } from "node:fs";

/** Words of a program that stumbled over itself, not over the world. */
const STUMBLED =
  /\b(TypeError|ReferenceError|RangeError|SyntaxError|UnhandledPromiseRejection|Segmentation fault|panic|oh no: Bun has crashed)\b|is not a function|undefined is not an object/;

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
    .filter((line) => STUMBLED.test(line))
    .map((line) => `${path} says: ${line.slice(0, 400)}`);
  return { wrong, read: text.length };
}
