import type { LogRemoved } from "@restic-manager/protocol/api/jobs";
import { countOf } from "../format/numbers.ts";

const DAY_MS = 24 * 3_600_000;

/** What is said in the place of a log that is not kept any more. `ended` in ms since 1970. */
export function logRemovedWords(removed: LogRemoved, lines: number, ended: number | null) {
  const had = `It had ${countOf(lines, "line")}. How the job ended is kept for longer.`;
  if (removed.why === "room") return { title: "The log was removed to make room for newer ones", text: had };
  const days = ended === null ? 0 : Math.floor((Date.parse(removed.at) - ended) / DAY_MS);
  return {
    title: days < 1 ? "The log was removed for its age" : `The log was removed after ${countOf(days, "day")}`,
    text: had,
  };
}
