import { expect, test } from "bun:test";
import { NIGHT } from "./script.ts";
import { tellStory } from "./story.ts";

const script = { ...NIGHT, lines: 50, failEvery: 4, warnEvery: 3, slowEvery: 5, slowTimes: 3 };

test("the same seed, machine and turn tell the same story; any other tells another", () => {
  const story = tellStory(7, 3, 1, script);
  expect(tellStory(7, 3, 1, script)).toEqual(story);
  for (const other of [tellStory(8, 3, 1, script), tellStory(7, 4, 1, script), tellStory(7, 3, 2, script)])
    expect(other.snapshotId).not.toBe(story.snapshotId);
});

test("each so-manieth backup fails, has issues or is slow, and the errors take turns", () => {
  const told = Array.from({ length: 24 }, (_, at) => tellStory(1, 0, at + 1, script));
  const failed = told.flatMap(({ end }) => (end.state === "failed" ? [end.error.code] : []));
  expect(failed).toHaveLength(6);
  expect(new Set(failed).size).toBe(6);
  expect(told.filter(({ end }) => end.state === "succeeded" && end.issues.length > 0)).toHaveLength(6);
  expect(told[4]?.durationMs).toBe(3 * script.durationMs);
  expect(told[0]?.durationMs).toBe(script.durationMs);
});

test("a line is as long as was asked for", () => {
  for (const line of tellStory(1, 1, 1, { ...script, lineBytes: 160 }).lines) expect(line).toHaveLength(160);
});
