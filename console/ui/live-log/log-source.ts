import type { JobLogPage } from "@restic-manager/protocol/api/jobs";

export type NumberedLine = JobLogPage["lines"][number];
export type LogGap = JobLogPage["gaps"][number];

/** Which lines are shown: all, those of stderr, those of hooks. */
export type LogFilter = "all" | "stderr" | "hooks";

/** What the log of a job looks like at one moment; a new object after every change. */
export interface LogView {
  /** Number of the line after the last known one; the first line has number 0. */
  end: number;
  /** Lines that were dropped on the way, in order. */
  gaps: readonly LogGap[];
  /** `live` more may come; `complete` the job has ended; `failed` the log could not be read. */
  phase: "loading" | "live" | "reconnecting" | "complete" | "failed";
  /** What went wrong, when it did. */
  problem: string | null;
  /** Lines per filter, once every line has been seen. */
  counts: Record<LogFilter, number> | null;
}

/** Where the log's lines come from. The component never asks the network; it asks this. */
export interface LogSource {
  subscribe: (onChange: () => void) => () => void;
  view: () => LogView;
  /** The line, if it is at hand; after `need` it may be, later. */
  line: (n: number) => NumberedLine | undefined;
  /** Brings lines `first` to `last` to hand, and tells subscribers when they are. */
  need: (first: number, last: number) => void;
  /** Numbers of the lines from `first` up to, not including, `end` that match. Reads the log without keeping it. */
  find: (query: LogQuery, first: number, end: number) => Promise<number[]>;
}

export interface LogQuery {
  filter: LogFilter;
  /** Matched as it is typed, whatever the case. Empty matches everything. */
  text: string;
}

/** Whether a line is one of those asked for. */
export function matches(line: Pick<NumberedLine, "stream" | "text">, query: LogQuery): boolean {
  if (query.filter === "stderr" && line.stream !== "stderr") return false;
  if (query.filter === "hooks" && line.stream !== "hook_pre" && line.stream !== "hook_post") return false;
  return query.text === "" || line.text.toLowerCase().includes(query.text.toLowerCase());
}
