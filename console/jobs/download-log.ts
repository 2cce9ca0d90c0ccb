import type { JobLogPage } from "@restic-manager/protocol/api/jobs";
import type { ReadLog } from "../ui/live-log/log-book.ts";

/** Most lines that the server gives at once. */
const PAGE = 10_000;

type Page = Awaited<ReturnType<ReadLog>>;
const WORDS: Record<JobLogPage["lines"][number]["stream"], string> = {
  stdout: "stdout",
  stderr: "stderr",
  hook_pre: "hook",
  hook_post: "hook",
  manager: "agent",
};

/**
 * A whole log as pieces of text, a page at a time, so that the caller can put each away before the next is asked for. What
 * came after the beginning is in it too; what was dropped on the way is said where it was.
 */
export async function* logAsText(read: ReadLog): AsyncGenerator<{ text: string; done: number; end: number }> {
  let next = 0;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other is the point
    const page = await read(next, PAGE);
    const before = next;
    next = Math.max(
      next,
      ...page.gaps.map((gap) => gap.first_line + gap.count),
      ...page.lines.slice(-1).map((line) => line.n + 1),
    );
    if (next === before) return;
    yield { text: textOf(page), done: next, end: page.end };
  }
}

function textOf({ lines, gaps }: Page): string {
  const parts = [
    ...gaps.map((gap) => ({
      n: gap.first_line,
      text: `[${gap.count} ${gap.count === 1 ? "line was" : "lines were"} dropped here]`,
    })),
    ...lines.map((line) => ({
      n: line.n,
      text: `${new Date(line.at).toISOString()} ${WORDS[line.stream].padEnd(6)} ${line.text}`,
    })),
  ];
  return parts
    .toSorted((a, b) => a.n - b.n)
    .map((part) => `${part.text}\n`)
    .join("");
}

/** Has the browser save a log as a text file. Each page becomes a blob at once, which the browser keeps outside the page's memory. */
export async function downloadLog(
  read: ReadLog,
  fileName: string,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const parts: Blob[] = [];
  for await (const { text, done, end } of logAsText(read)) {
    parts.push(new Blob([text]));
    onProgress(end === 0 ? 1 : Math.min(1, done / end));
  }
  const url = URL.createObjectURL(new Blob(parts, { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // The browser has taken the file by the next turn of its loop, if not before.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
