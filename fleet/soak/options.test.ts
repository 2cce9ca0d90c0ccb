import { expect, test } from "bun:test";
import { soakOptions } from "./options.ts";

test("a soak is half an hour of 2,000 agents on SQLite unless told", () => {
  expect(soakOptions([], 5)).toEqual({ minutes: 30, agents: 2_000, seed: 5, postgres: false });
  expect(soakOptions(["--minutes", "3", "--seed", "0", "--postgres", "--agents", "50"], 5)).toEqual({
    minutes: 3,
    agents: 50,
    seed: 0,
    postgres: true,
  });
});

test("words that make no sense are named", () => {
  for (const words of [["--hours", "1"], ["--minutes"], ["--minutes", "x"], ["--agents", "0"], ["now"]])
    expect(soakOptions(words, 1)).toContain("script/soak");
  expect(soakOptions(["--agents", "100000"], 1)).toContain("8000");
});
