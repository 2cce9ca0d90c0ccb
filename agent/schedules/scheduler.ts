import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { HeldJob } from "../journal.ts";
import type { Cancel, Timers } from "../timers.ts";
import type { ScheduleBook } from "./book.ts";
import { accountedFor, dueFire, nextDue, planOf, type Plan } from "./due.ts";

/** Longest sleep: a clock that was set, or a machine that slept, is noticed after this long. */
const LOOK_MS = 30_000;

export interface SchedulerParts {
  book: ScheduleBook;
  timers: Pick<Timers, "now" | "after">;
  hostId: string;
  /** The name of the machine's own zone. */
  timezone: () => string;
  /** Queues what a fire has started. */
  start: (jobs: HeldJob[]) => void;
  onError: (error: unknown, doing: string) => void;
  say: (text: string) => void;
}

/**
 * Fires what is due, whether the server is there or not. Sleeps until the next moment, at most half a minute; a look at which
 * nothing is due asks neither the disk nor the calendar. Without schedules it does not wake at all.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  /** When the next run is due, and where the clock stood at the last look. */
  #next = Number.NEGATIVE_INFINITY;
  #looked = Number.NEGATIVE_INFINITY;
  #timer: Cancel | undefined;
  #running = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /** Begins to look, first at once. */
  start(): void {
    this.#running = true;
    this.look();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.();
    this.#timer = undefined;
  }

  /** Takes what the server sends; what is due by what it replaces is fired first. */
  adopt(set: ScheduleSet): void {
    if (this.#running) this.#fireDue(this.#parts.timers.now());
    this.#parts.book.adopt(set);
    this.refresh();
  }

  /** Something has changed that may be due sooner, such as a job that failed and is to be tried again. */
  refresh(): void {
    this.#next = Number.NEGATIVE_INFINITY;
    if (this.#running) this.look();
  }

  /** Fires what is due, and sleeps. */
  look(): void {
    const { timers } = this.#parts;
    const now = timers.now();
    if (now >= this.#next || now < this.#looked) this.#fireDue(now);
    this.#looked = now;
    this.#timer?.();
    this.#timer = undefined;
    if (!this.#running || this.#next === Number.POSITIVE_INFINITY) return;
    const wait = Math.min(LOOK_MS, Math.max(1, this.#next - now));
    this.#timer = timers.after(wait, () => {
      this.#timer = undefined;
      this.look();
    });
  }

  #fireDue(now: number): void {
    const { book } = this.#parts;
    let next = Number.POSITIVE_INFINITY;
    for (const plan of book.paused ? [] : this.#plans())
      next = Math.min(
        next,
        this.#guarded("fire a schedule", now, () => this.#fireOne(plan, now)),
      );
    for (const retry of book.retries()) {
      if (retry.dueAt > now) next = Math.min(next, retry.dueAt);
      else
        next = Math.min(
          next,
          this.#guarded("try a failed backup again", now, () => {
            this.#started(book.retry(retry));
            return Number.POSITIVE_INFINITY;
          }),
        );
    }
    this.#next = next;
  }

  /** Returns when it is due next. */
  #fireOne(plan: Plan, now: number): number {
    const { book, say } = this.#parts;
    const { schedule, spread } = plan;
    const known = book.until(schedule.id);
    let until = accountedFor(known, now);
    if (until !== known) book.setUntil(schedule.id, until);
    const due = dueFire(plan, until, now);
    if (due !== undefined) {
      until = due.scheduledAt + spread;
      this.#started(book.fire(schedule, due, until));
      if (due.missed.length > 0)
        say(`A schedule could not run in time; one run stands for ${due.missed.length} that were missed.`);
    }
    return nextDue(plan, until) ?? Number.POSITIVE_INFINITY;
  }

  #started(jobs: HeldJob[]): void {
    if (jobs.length > 0) this.#parts.start(jobs);
  }

  /** What the disk has no room for is tried at the next look: nothing of it was written. */
  #guarded(doing: string, now: number, work: () => number): number {
    try {
      return work();
    } catch (error) {
      this.#parts.onError(error, doing);
      return now + LOOK_MS;
    }
  }

  /** Made anew for each calculation and not kept: a calendar takes more memory than all else here, and is rarely asked. */
  #plans(): Plan[] {
    const { book, hostId, timezone } = this.#parts;
    return book.schedules.flatMap((schedule) => planOf(schedule, { hostId, timezone: timezone() }) ?? []);
  }
}
