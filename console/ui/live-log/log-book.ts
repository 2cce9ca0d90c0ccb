import type { JobLogPage } from "@restic-manager/protocol/api/jobs";
import {
  matches,
  type LogFilter,
  type LogGap,
  type LogQuery,
  type LogSource,
  type LogView,
  type NumberedLine,
} from "./log-source.ts";

/** Lines in one block; also what one question to the server brings. */
const BLOCK = 1000;
/** Blocks kept: 100,000 lines, some 20 MB. The oldest unused goes first. */
const KEPT_BLOCKS = 100;
/** Lines read at once while searching. */
const FIND_LINES = 10_000;
/** Kinds of line as the ledger writes them; 0 is a line not seen yet. */
const KIND_OTHER = 1;
const KIND_STDERR = 2;
const KIND_HOOK = 3;

/** Reads up to `limit` lines from line `from` on. */
export type ReadLog = (from: number, limit: number) => Promise<Pick<JobLogPage, "lines" | "gaps" | "end">>;

/**
 * A job's log as the page holds it: a window of blocks around what is being read, one byte about every line seen, the rest
 * asked for when it is needed. A million lines take a megabyte and the window.
 */
export class LogBook implements LogSource {
  readonly #read: ReadLog;
  readonly #blocks = new Map<number, Map<number, NumberedLine>>();
  readonly #asked = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #kinds = new Uint8Array(1024);
  #seen = 0;
  #tally = { stderr: 0, hooks: 0 };
  #view: LogView = { end: 0, gaps: [], phase: "loading", problem: null, counts: null };

  constructor(read: ReadLog) {
    this.#read = read;
  }

  subscribe = (onChange: () => void): (() => void) => {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  };

  view = (): LogView => this.#view;

  line = (n: number): NumberedLine | undefined => this.#blocks.get(Math.floor(n / BLOCK))?.get(n);

  need = (first: number, last: number): void => {
    const end = this.#view.end;
    for (let block = Math.floor(first / BLOCK); block * BLOCK <= Math.min(last, end - 1); block += 1) {
      if (this.#asked.has(block) || this.#isWhole(block)) continue;
      this.#asked.add(block);
      this.#read(block * BLOCK, BLOCK)
        .then((page) => this.add(page))
        .catch((error: unknown) =>
          this.setPhase("failed", error instanceof Error ? error.message : String(error)),
        )
        .finally(() => this.#asked.delete(block));
    }
  };

  find = async (query: LogQuery, first: number, end: number): Promise<number[]> => {
    const found: number[] = [];
    for (let from = first; from < end; from += FIND_LINES) {
      const limit = Math.min(FIND_LINES, end - from);
      const atHand = this.#allAtHand(from, from + limit);
      // Pages must be read one after the other: in parallel they would all be held at once.
      // oxlint-disable-next-line no-await-in-loop
      const lines = atHand ?? (await this.#read(from, limit)).lines;
      for (const line of lines) {
        this.#note(line);
        if (matches(line, query)) found.push(line.n);
      }
    }
    this.#publish({});
    return found;
  };

  /** Adds lines and cuts from the stream or from a question, in any order, twice or not. `end` may run ahead of the lines. */
  add(page: { lines: readonly NumberedLine[]; gaps: readonly LogGap[]; end?: number }): void {
    let end = Math.max(this.#view.end, page.end ?? 0);
    for (const line of page.lines) {
      end = Math.max(end, line.n + 1);
      this.#blockOf(line.n).set(line.n, line);
      this.#note(line);
    }
    const gaps = mergeGaps(this.#view.gaps, page.gaps);
    for (const gap of page.gaps) end = Math.max(end, gap.first_line + gap.count);
    this.#forget(end);
    this.#publish({ end, gaps });
  }

  /** Says whether more may come; `problem` is the sentence to show when reading failed. */
  setPhase(phase: LogView["phase"], problem: string | null = null): void {
    if (phase !== this.#view.phase || problem !== this.#view.problem) this.#publish({ phase, problem });
  }

  #publish(change: Partial<LogView>): void {
    const next = { ...this.#view, ...change };
    const lines = next.end - next.gaps.reduce((sum, gap) => sum + gap.count, 0);
    const counts: Record<LogFilter, number> = { all: lines, ...this.#tally };
    this.#view = { ...next, counts: this.#seen >= lines ? counts : null };
    for (const listener of this.#listeners) listener();
  }

  #note(line: NumberedLine): void {
    if (line.n >= this.#kinds.length) {
      const wider = new Uint8Array(Math.max(line.n + 1, this.#kinds.length * 2));
      wider.set(this.#kinds);
      this.#kinds = wider;
    }
    if (this.#kinds[line.n] !== 0) return;
    const hook = line.stream === "hook_pre" || line.stream === "hook_post";
    this.#kinds[line.n] = line.stream === "stderr" ? KIND_STDERR : hook ? KIND_HOOK : KIND_OTHER;
    this.#seen += 1;
    if (line.stream === "stderr") this.#tally.stderr += 1;
    if (hook) this.#tally.hooks += 1;
  }

  #blockOf(n: number): Map<number, NumberedLine> {
    const key = Math.floor(n / BLOCK);
    const block = this.#blocks.get(key) ?? new Map<number, NumberedLine>();
    // Set again, so that the least recently filled block stands first.
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  #forget(end: number): void {
    const tail = Math.floor(Math.max(0, end - 1) / BLOCK);
    for (const key of this.#blocks.keys()) {
      if (this.#blocks.size <= KEPT_BLOCKS) return;
      if (key !== tail) this.#blocks.delete(key);
    }
  }

  #isWhole(block: number): boolean {
    const first = block * BLOCK;
    const last = Math.min(first + BLOCK, this.#view.end);
    return (this.#blocks.get(block)?.size ?? 0) + this.#lostBetween(first, last) >= last - first;
  }

  #lostBetween(first: number, last: number): number {
    return this.#view.gaps.reduce((sum, gap) => {
      const from = Math.max(first, gap.first_line);
      return sum + Math.max(0, Math.min(last, gap.first_line + gap.count) - from);
    }, 0);
  }

  #allAtHand(first: number, end: number): NumberedLine[] | null {
    for (let block = Math.floor(first / BLOCK); block * BLOCK < end; block += 1) {
      if (!this.#isWhole(block)) return null;
    }
    const lines: NumberedLine[] = [];
    for (let n = first; n < end; n += 1) {
      const line = this.line(n);
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }
}

/** Both lists as one, in order; a cut told twice counts once, one that grew replaces what it was. */
function mergeGaps(known: readonly LogGap[], told: readonly LogGap[]): readonly LogGap[] {
  if (told.length === 0) return known;
  const byFirst = new Map<number, LogGap>();
  for (const gap of [...known, ...told]) {
    const before = byFirst.get(gap.first_line);
    if (before === undefined || before.count < gap.count) byFirst.set(gap.first_line, gap);
  }
  const merged: LogGap[] = [];
  for (const gap of [...byFirst.values()].toSorted((a, b) => a.first_line - b.first_line)) {
    const last = merged.at(-1);
    // A page may cut a gap at its own edge: what lies inside the last one is part of it.
    if (last !== undefined && gap.first_line < last.first_line + last.count) {
      const end = Math.max(last.first_line + last.count, gap.first_line + gap.count);
      merged[merged.length - 1] = { first_line: last.first_line, count: end - last.first_line };
    } else merged.push(gap);
  }
  return merged;
}
