import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { FleetBriefs } from "./fleet-briefs.ts";
import { JobBoard } from "./job-counts.ts";
import { DAY_MS, firstHalfHour, fleetFigures, HALF_HOUR_MS, type FleetFigures } from "./summary.ts";

/** "The last 24 hours" move by themselves. */
const OLDEST_MS = 5_000;
/** What changed without a word on the bus is not overlooked for longer. */
const ANEW_MS = 60_000;

export interface SummaryBoardParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  /** The server's own trouble with its store. */
  storeState: () => FleetSummary["store"];
}

/** What one answer rests on. */
interface Answer {
  /** How many changes had been told of when it was asked for. */
  changes: number;
  at: number;
  figures: Promise<FleetFigures>;
}

/**
 * The fleet's summary, worked out at most once between two changes however many browsers ask: every browser asks after every
 * change. Only what changed is read again. Nobody gets an answer from before a change that was told on the bus.
 */
export class SummaryBoard {
  readonly #parts: SummaryBoardParts;
  readonly #hosts: FleetBriefs;
  readonly #jobs: JobBoard;
  #changes = 0;
  #answer: Answer | undefined;
  /** When everything was last read from the store, by the clock that nobody sets. */
  #readAt: number | undefined;
  #working: Promise<unknown> = Promise.resolve();

  constructor(parts: SummaryBoardParts) {
    this.#parts = parts;
    this.#hosts = new FleetBriefs(parts.db);
    this.#jobs = new JobBoard(parts.db, HALF_HOUR_MS);
    const { bus } = parts;
    const noting =
      <E>(note: (event: E) => void) =>
      (event: E): void => {
        this.#changes += 1;
        note(event);
      };
    bus.subscribe(
      "host.changed",
      noting(({ hostId }) => this.#hosts.changed(hostId)),
    );
    bus.subscribe(
      "host.removed",
      noting(({ hostId }) => {
        this.#hosts.changed(hostId);
        // Its jobs went with it.
        this.#jobs.forget();
      }),
    );
    bus.subscribe(
      "job.changed",
      noting(({ jobId }) => this.#jobs.changed(jobId)),
    );
    bus.subscribe(
      "bus.resync",
      noting(() => this.#forget()),
    );
  }

  async ask(): Promise<FleetSummary> {
    const { clock, storeState } = this.#parts;
    const known = this.#answer;
    // By the clock that nobody sets: after one that was set back, an old answer would hold for hours.
    const asked = clock.elapsed();
    const holds = known !== undefined && known.changes === this.#changes && asked - known.at < OLDEST_MS;
    if (holds) return { ...(await known.figures), store: storeState() };
    const fresh: Answer = { changes: this.#changes, at: asked, figures: this.#afterOthers() };
    this.#answer = fresh;
    try {
      return { ...(await fresh.figures), store: storeState() };
    } catch (error) {
      // The next one may have more luck.
      if (this.#answer === fresh) this.#answer = undefined;
      throw error;
    }
  }

  /** One at a time: what is in memory is read and written by all. */
  #afterOthers(): Promise<FleetFigures> {
    const figures = this.#working.then(() => this.#work());
    this.#working = figures.catch(() => undefined);
    return figures;
  }

  async #work(): Promise<FleetFigures> {
    const { clock, bus } = this.#parts;
    const now = clock.now();
    const elapsed = clock.elapsed();
    // Cut off from the other servers, this one does not hear of what they change.
    const most = bus.cutOffSince() === null ? ANEW_MS : OLDEST_MS;
    if (this.#readAt === undefined || elapsed - this.#readAt >= most) {
      this.#forget();
      this.#readAt = elapsed;
    }
    // Their questions go side by side, which PostgreSQL makes use of.
    const [totals, jobs] = await Promise.all([this.#hosts.read(), this.#jobs.read(firstHalfHour(now))]);
    return fleetFigures(totals, this.#hosts.successesSince(now - DAY_MS), jobs, now);
  }

  #forget(): void {
    this.#hosts.forget();
    this.#jobs.forget();
  }
}
