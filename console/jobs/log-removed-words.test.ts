import { expect, test } from "bun:test";
import { logRemovedWords } from "./log-removed-words.ts";

const ended = Date.UTC(2026, 7, 1, 12);
const at = new Date(ended + 90 * 24 * 3_600_000 + 60_000).toISOString();

test("a log that was too old says after how many days it went, and how long it was", () => {
  expect(logRemovedWords({ at, why: "age" }, 1_300, ended)).toEqual({
    title: "The log was removed after 90 days",
    text: "It had 1,300 lines. How the job ended is kept for longer.",
  });
});

test("a log that made room says so", () => {
  const { title } = logRemovedWords({ at, why: "room" }, 1, ended);
  expect(title).toBe("The log was removed to make room for newer ones");
});
