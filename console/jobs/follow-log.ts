import type { Job, JobLogPage, StreamLines } from "@restic-manager/protocol/api/jobs";
import { asProblem } from "../api-problem.ts";
import type { LogBook } from "../ui/live-log/log-book.ts";

/** As much of the browser's `EventSource` as is used here. */
export interface EventSourceLike {
  /** 2 when the browser has given up. */
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface FollowParts {
  jobId: string;
  book: Pick<LogBook, "add" | "setPhase" | "need">;
  open: (url: string) => EventSourceLike;
  read: (from: number, limit: number) => Promise<JobLogPage>;
  /** Calls back after `ms`; answers how not to. */
  later: (ms: number, act: () => void) => () => void;
  /** 0 to 1, so that many pages do not come back at one moment. */
  random: () => number;
  onJob: (job: Job) => void;
  onProgress: (progress: Record<string, unknown>) => void;
  /** The session is over. */
  onSignedOut: () => void;
}

export interface Following {
  /** Lets go of the connection while nobody looks: browsers allow six to one server, for all of its pages together. */
  pause: () => void;
  resume: () => void;
  stop: () => void;
}

const CLOSED = 2;
/** Lines of the first question. */
const FIRST = 1_000;
/** A log up to here is taken whole; of a longer one only its end, the rest when somebody scrolls there. */
const WHOLE_UP_TO = 5_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Fills a log book: what there is, then what comes. The browser returns by itself after a cut, with the number of the line it
 * waits for; when it gives up, so does this, from the line after the last one taken. Lines that come twice count once, and a
 * line that did not come is asked for when it is shown, so no cut can double or lose one.
 */
export function followLog(parts: FollowParts): Following {
  const { book, jobId } = parts;
  /** Number of the line that comes next. */
  let next = 0;
  let source: EventSourceLike | null = null;
  let cancelWait: (() => void) | null = null;
  let attempts = 0;
  let begun = false;
  let state: "on" | "paused" | "ended" = "on";
  /** Counts beginnings: what an earlier one still waits for is nobody's any more. */
  let turn = 0;

  async function begin(): Promise<void> {
    turn += 1;
    const page = await ask(turn);
    if (page === null) return;
    if (!begun) {
      begun = true;
      if (page.end <= WHOLE_UP_TO) book.need(0, page.end - 1);
      else if (!page.complete) next = Math.max(next, page.end - FIRST);
      if (page.complete) return finish();
    }
    listen();
  }

  /** Reads what comes next into the book; null when that led to nothing, which has been dealt with. */
  async function ask(asked: number): Promise<JobLogPage | null> {
    try {
      const page = await parts.read(next, FIRST);
      if (state !== "on" || asked !== turn) return null;
      book.add(page);
      next = lineAfter(page, next);
      return page;
    } catch (error) {
      if (state === "on" && asked === turn) refused(error);
      return null;
    }
  }

  function refused(error: unknown): void {
    const problem = asProblem(error);
    if (problem.status === 401) {
      state = "ended";
      parts.onSignedOut();
    } else if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) {
      state = "ended";
      book.setPhase("failed", problem.message);
    } else {
      if (begun) book.setPhase("reconnecting");
      else book.setPhase("failed", problem.message);
      again();
    }
  }

  function again(): void {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempts);
    attempts += 1;
    cancelWait = parts.later(longest * (0.5 + parts.random() / 2), () => {
      cancelWait = null;
      void begin();
    });
  }

  function listen(): void {
    const opened = parts.open(`/api/jobs/${jobId}/stream?from=${next}`);
    source = opened;
    const on = (type: string, act: (event: MessageEvent<string>) => void) =>
      opened.addEventListener(type, (event) => {
        if (source === opened) act(event);
      });
    on("open", () => {
      attempts = 0;
      book.setPhase("live");
    });
    on("lines", (event) => {
      book.add(JSON.parse(event.data) as StreamLines);
      next = Math.max(next, Number(event.lastEventId));
    });
    on("job", (event) => {
      const job = JSON.parse(event.data) as Job | null;
      if (job !== null) parts.onJob(job);
    });
    on("progress", (event) => parts.onProgress(JSON.parse(event.data) as Record<string, unknown>));
    on("end", finish);
    on("error", () => {
      book.setPhase("reconnecting");
      if (opened.readyState !== CLOSED) return;
      letGo();
      again();
    });
  }

  function letGo(): void {
    source?.close();
    source = null;
    cancelWait?.();
    cancelWait = null;
  }

  function finish(): void {
    letGo();
    state = "ended";
    book.setPhase("complete");
  }

  void begin();
  return {
    pause() {
      if (state !== "on") return;
      state = "paused";
      letGo();
    },
    resume() {
      if (state !== "paused") return;
      state = "on";
      void begin();
    },
    stop() {
      state = "ended";
      letGo();
    },
  };
}

/** The line after the last one that a page tells of; holes count as told. */
function lineAfter(page: StreamLines, from: number): number {
  return Math.max(
    from,
    ...page.gaps.map((gap) => gap.first_line + gap.count),
    ...page.lines.slice(-1).map((line) => line.n + 1),
  );
}
