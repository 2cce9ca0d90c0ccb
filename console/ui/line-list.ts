/** A line of a field that takes one thing per line, and its number there from 1. */
export interface Line {
  number: number;
  text: string;
}

/** What is written, line by line; empty lines are nobody's. Spaces stay: a folder's name may end with one. */
export function linesOf(text: string): Line[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ number: index + 1, text: line }))
    .filter((line) => line.text.trim() !== "");
}
