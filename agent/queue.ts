import type { JobId } from "@restic-manager/protocol/ids";
import type { JobOutcome } from "@restic-manager/protocol/outcome";
import { WAITED_FOR } from "./job-habits.ts";
import { NoRoom, type HeldJob, type Journal } from "./journal.ts";
import type { Cancel, Timers } from "./timers.ts";

/** A job under way, and the two ways to end it early. */
interface Running {
  job: HeldJob;
  cancel: AbortController;
  kill: AbortController;
  /** Somebody asked for its end, so that it is cancelled and not merely cut off. */
  unwanted: boolean;
}

/** A repository that did not answer a report is asked again after the next job, or after this long. */
const REPORT_AGAIN_MS = 15 * 60_000;

export interface QueueParts {
  journal: Journal;
  /** Does the work of one job; it was marked as started before. Throws only for a defect. */
  work: (job: HeldJob, signals: { cancel: AbortSignal; kill: AbortSignal }) => Promise<JobOutcome>;
  /** Runs between two jobs, when restic is idle: tells the server what the repository holds. */
  between: (cancel: AbortSignal) => Promise<"told" | "later">;
  onError: (error: unknown, doing: string) => void;
  /** A job is over, and its outcome written down. */
  onFinished?: () => void;
  /** Nothing is left to do. */
  onIdle?: () => void;
  /** Resolves when a disk that had no room may be tried again. */
  room: () => Promise<void>;
  timers: Pick<Timers, "after">;
}

/**
 * One restic at a time. Jobs run in the order in which they were accepted, but for those that somebody waits for, whether the server is
 * there or not; every way a job can end goes through the journal, once.
 */
export class Queue {
  readonly #parts: QueueParts;
  #waiting: HeldJob[] = [];
  #running: Running | undefined;
  #idle: AbortController | undefined;
  #loop: Promise<void> | undefined;
  #stopping = false;
  /** Nothing runs before what an earlier life left behind was ended. */
  #opened = false;
  /** Set while the repository need not be asked again for the report that is due. */
  #notYet: Cancel | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** A report gives way: at a repository that does not answer it would hold the job up for minutes. It stays due. */
  add(job: HeldJob): void {
    this.#waiting.splice(placeOf(job, this.#waiting), 0, job);
    this.#idle?.abort();
    this.wake();
  }

  /** From now on jobs run, first those that were accepted in an earlier life. */
  open(earlier: HeldJob[]): void {
    this.#opened = true;
    const later = this.#waiting;
    this.#waiting = [];
    for (const job of [...earlier, ...later]) this.#waiting.splice(placeOf(job, this.#waiting), 0, job);
    this.wake();
  }

  /** Looks whether there is something to do. */
  wake(): void {
    if (this.#stopping || !this.#opened) return;
    this.#loop ??= this.#run().finally(() => {
      this.#loop = undefined;
      if (this.#waiting.length > 0) this.wake();
    });
  }

  /** Ends a job early. False when this queue has no such job. */
  cancel(id: JobId, now: boolean): boolean {
    if (this.#running?.job.id === id) {
      this.#running.unwanted = true;
      this.#running.cancel.abort();
      if (now) this.#running.kill.abort();
      return true;
    }
    const index = this.#waiting.findIndex((job) => job.id === id);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    this.#parts.journal.finished(id, { state: "cancelled" });
    return true;
  }

  /** Starts nothing more and interrupts what runs; it is reported as restarted, since that is what happens to it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#running?.cancel.abort();
    this.#idle?.abort();
    this.#notYet?.();
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const job = this.#waiting.shift();
      if (job !== undefined) await this.#one(job);
      else if (this.#notYet === undefined && this.#parts.journal.reportDue) await this.#report();
      else return this.#parts.onIdle?.();
    }
  }

  async #one(job: HeldJob): Promise<void> {
    const { journal, work, onError } = this.#parts;
    const running = {
      job,
      cancel: new AbortController(),
      kill: new AbortController(),
      unwanted: false,
    };
    this.#notYet?.();
    this.#notYet = undefined;
    this.#running = running;
    let outcome: JobOutcome;
    try {
      journal.started(job.id);
      outcome = await work(job, { cancel: running.cancel.signal, kill: running.kill.signal });
    } catch (error) {
      onError(error, `run job ${job.id}`);
      const message = error instanceof Error ? error.message : "unknown error";
      outcome = {
        state: "failed",
        error: {
          code: error instanceof NoRoom ? "disk_full" : "failed",
          message: `The agent stumbled: ${message}`.slice(0, 4_000),
        },
      };
    }
    if (this.#stopping && !running.unwanted && outcome.state !== "succeeded") {
      const message = "The agent was stopped while this job ran.";
      outcome = { state: "failed", error: { code: "agent_restarted", message, hint: "Run it again." } };
    }
    await this.#keep(job.id, outcome);
    this.#running = undefined;
    this.#parts.onFinished?.();
  }

  /** How a job ended is never dropped: a disk without any room is waited for. */
  async #keep(id: JobId, outcome: JobOutcome): Promise<void> {
    const { journal, onError, room } = this.#parts;
    for (let told = false; ; told = true) {
      try {
        return journal.finished(id, outcome);
      } catch (error) {
        if (!(error instanceof NoRoom) || this.#stopping) throw error;
        if (!told) onError(error, `write down how job ${id} ended`);
        await room();
      }
    }
  }

  async #report(): Promise<void> {
    const { between, timers } = this.#parts;
    this.#idle = new AbortController();
    let answer: "told" | "later" = "later";
    try {
      answer = await between(this.#idle.signal);
    } catch (error) {
      this.#parts.onError(error, "report what the repository holds");
    } finally {
      this.#idle = undefined;
    }
    if (answer === "told" || this.#stopping) return;
    this.#notYet = timers.after(REPORT_AGAIN_MS, () => {
      this.#notYet = undefined;
      this.wake();
    });
  }
}

function placeOf(job: HeldJob, waiting: readonly HeldJob[]): number {
  if (!WAITED_FOR.has(job.kind)) return waiting.length;
  const behind = waiting.findIndex((other) => !WAITED_FOR.has(other.kind));
  return behind === -1 ? waiting.length : behind;
}
