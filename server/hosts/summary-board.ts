import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { fleetFigures, type FleetFigures } from "./summary.ts";

/** "The last 24 hours" move by themselves; and what changed without a word on the bus is not overlooked for longer. */
const OLDEST_MS = 5_000;

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
 * change. Nobody gets an answer from before a change that was told on the bus.
 */
export class SummaryBoard {
  readonly #parts: SummaryBoardParts;
  #changes = 0;
  #answer: Answer | undefined;

  constructor(parts: SummaryBoardParts) {
    this.#parts = parts;
    const note = (): void => {
      this.#changes += 1;
    };
    for (const topic of ["host.changed", "host.removed", "job.changed"] as const)
      parts.bus.subscribe(topic, note);
  }

  async ask(): Promise<FleetSummary> {
    const { db, clock, storeState } = this.#parts;
    const now = clock.now();
    const known = this.#answer;
    // By the clock that nobody sets: after one that was set back, an old answer would hold for hours.
    const asked = clock.elapsed();
    const holds = known !== undefined && known.changes === this.#changes && asked - known.at < OLDEST_MS;
    if (holds) return { ...(await known.figures), store: storeState() };
    const fresh: Answer = { changes: this.#changes, at: asked, figures: fleetFigures(db, now) };
    this.#answer = fresh;
    try {
      return { ...(await fresh.figures), store: storeState() };
    } catch (error) {
      // The next one may have more luck.
      if (this.#answer === fresh) this.#answer = undefined;
      throw error;
    }
  }
}
