import type { JobLogPage } from "@restic-manager/protocol/api/jobs";
import { expect, test } from "bun:test";
import { logAsText } from "./download-log.ts";

const AT = Date.UTC(2026, 10, 21, 8, 42);

async function textOf(read: (from: number, limit: number) => Promise<JobLogPage>): Promise<string[]> {
  const pieces = [];
  for await (const { text } of logAsText(read)) pieces.push(text);
  return pieces;
}

test("a log is written page by page until there is no more", async () => {
  const asked: number[] = [];
  const pieces = await textOf(async (from, limit) => {
    asked.push(from);
    const until = Math.min(25_000, from + limit);
    const lines = Array.from({ length: until - from }, (_, i) => ({
      n: from + i,
      at: AT,
      stream: "stdout" as const,
      text: String(from + i),
    }));
    return { lines, gaps: [], end: 25_000, complete: true };
  });
  expect(asked).toEqual([0, 10_000, 20_000, 25_000]);
  expect(pieces.join("").trimEnd().split("\n")).toHaveLength(25_000);
});

test("every line has its time and where it comes from, and a hole stands where it is", async () => {
  const page: JobLogPage = {
    lines: [
      { n: 0, at: AT, stream: "manager", text: "begun" },
      { n: 4, at: AT + 1_000, stream: "stderr", text: "Fatal: no" },
    ],
    gaps: [{ first_line: 1, count: 3 }],
    end: 5,
    complete: true,
  };
  const empty = { lines: [], gaps: [], end: 5, complete: true };
  const pieces = await textOf((from) => Promise.resolve(from === 0 ? page : empty));
  expect(pieces).toEqual([
    "2026-11-21T08:42:00.000Z agent  begun\n[3 lines were dropped here]\n2026-11-21T08:42:01.000Z stderr Fatal: no\n",
  ]);
});
