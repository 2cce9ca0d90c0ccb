import type { JobId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { countRuns, readActive, readStates, type RunCount } from "./summary-store.ts";

/** So many changed jobs are looked up one by one; for more it is cheaper to count all. */
const MOST_CHANGED = 1_000;

/** How many backups ended in one stretch of time, and how. */
export type Runs = Record<RunCount["outcome"], number>;

/** What the summary needs of the jobs. */
export interface JobCounts {
  active: { running: number; queued: number };
  /** Ended backups by stretches of time, counted since 1970. */
  runs: ReadonlyMap<number, Runs>;
}

/**
 * Jobs under way, and ended backups by stretches of time, in memory: counted once, and from then on only the stretches in which a job
 * ended since. Whoever owns it calls `read` one at a time.
 */
export class JobBoard {
  readonly #db: Database;
  readonly #length: number;
  #slots = new Map<number, Runs>();
  #active = new Map<JobId, "queued" | "running">();
  readonly #changed = new Set<JobId>();
  /** The oldest stretch that is known; undefined when none is. */
  #from: number | undefined;

  /** @param length of a stretch, in milliseconds. */
  constructor(db: Database, length: number) {
    this.#db = db;
    this.#length = length;
  }

  changed(jobId: JobId): void {
    this.#changed.add(jobId);
  }

  /** Anything may have changed: counts all of it next time. */
  forget(): void {
    this.#from = undefined;
  }

  /** From stretch number `first` (since 1970) on, as the store has it now, with every change that was told before the call. */
  async read(first: number): Promise<JobCounts> {
    const changed = [...this.#changed];
    this.#changed.clear();
    const known = this.#from;
    // What is told from here on is for the next time; a clock that was set back asks for more than is known.
    this.#from = first;
    try {
      if (known === undefined || first < known || changed.length > MOST_CHANGED) {
        this.#slots = new Map();
        this.#active = new Map(await readActive(this.#db));
        this.#keep(await countRuns(this.#db, first * this.#length, undefined, this.#length));
      } else await this.#countAgain(first, changed);
    } catch (error) {
      this.#from = undefined;
      throw error;
    }
    let running = 0;
    for (const state of this.#active.values()) if (state === "running") running += 1;
    return { active: { running, queued: this.#active.size - running }, runs: this.#slots };
  }

  async #countAgain(first: number, changed: readonly JobId[]): Promise<void> {
    const jobs = await readStates(this.#db, changed);
    for (const id of changed) this.#active.delete(id);
    const slots = new Set<number>();
    for (const { id, state, finished_at } of jobs) {
      if (finished_at !== null) slots.add(Math.floor(finished_at / this.#length));
      else if (state === "queued" || state === "running") this.#active.set(id, state);
    }
    for (const slot of slots) {
      if (slot < first) continue;
      this.#slots.delete(slot);
      this.#keep(await countRuns(this.#db, slot * this.#length, (slot + 1) * this.#length, this.#length));
    }
    for (const slot of this.#slots.keys()) if (slot < first) this.#slots.delete(slot);
  }

  #keep(counts: readonly RunCount[]): void {
    for (const { slot, outcome, count } of counts) {
      const runs = this.#slots.get(slot) ?? { succeeded: 0, issues: 0, failed: 0 };
      runs[outcome] += count;
      this.#slots.set(slot, runs);
    }
  }
}
