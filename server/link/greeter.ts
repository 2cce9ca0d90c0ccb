import type { Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { turn } from "../platform/turn.ts";
import type { Connection } from "./connection.ts";
import { greetAll, type Arrival, type GreetParts, type Greeting } from "./greet.ts";

/**
 * Most hellos in one transaction. So many take some 15 ms on SQLite, which is what a page that asks meanwhile waits for.
 */
const AT_ONCE = 128;

export interface GreeterParts extends Pick<GreetParts, "arrived" | "refreshHosts"> {
  db: Database;
  clock: Clock;
  node: string;
  live: () => readonly string[];
  isCurrent: (connection: Connection) => boolean;
  isStoreTrouble: (error: unknown) => boolean;
  /** Its hello is committed; `now` is when. */
  greeted: (arrival: Arrival, greeting: Greeting, now: number) => void;
  /** The store took none of these hellos. */
  failed: (connections: Connection[], error: unknown) => void;
}

/** Writes down hellos, those that arrive together in one transaction, and answers them once that is committed. */
export class Greeter {
  readonly #parts: GreeterParts;
  readonly #waiting = new Map<Connection, Arrival>();
  #underWay: readonly Arrival[] = [];
  #running: Promise<void> | undefined;

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  take(arrival: Arrival): void {
    this.#waiting.set(arrival.connection, arrival);
    this.#running ??= this.#drain();
  }

  /** True while a hello of that connection has no answer. */
  has(connection: Connection): boolean {
    return (
      this.#waiting.has(connection) || this.#underWay.some((arrival) => arrival.connection === connection)
    );
  }

  /** Resolves when every hello taken so far is answered. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.size > 0) {
        // What arrives together is found together only after a turn; and between two batches others have theirs.
        await turn();
        this.#underWay = [...this.#waiting.values().take(AT_ONCE)];
        for (const { connection } of this.#underWay) this.#waiting.delete(connection);
        await this.#greet(this.#underWay);
        this.#underWay = [];
      }
    } finally {
      this.#underWay = [];
      this.#running = undefined;
    }
  }

  /** Never throws. One hello that spoils a batch is found by greeting each alone. */
  async #greet(batch: readonly Arrival[]): Promise<void> {
    const { db, clock, live, isCurrent, isStoreTrouble, greeted, failed } = this.#parts;
    const now = clock.now();
    let greetings: Map<Connection, Greeting>;
    try {
      greetings = await db.transaction().execute(async (trx) => {
        // A connection that was replaced or has ended meanwhile is not the host's any more; so there is one of each host.
        const current = batch.filter(({ connection }) => isCurrent(connection));
        return await greetAll(trx, current, { ...this.#parts, now, live: live() });
      });
    } catch (error) {
      if (batch.length === 1 || isStoreTrouble(error))
        return failed(
          batch.map(({ connection }) => connection),
          error,
        );
      for (const arrival of batch) await this.#greet([arrival]);
      return;
    }
    for (const arrival of batch) {
      const greeting = greetings.get(arrival.connection);
      if (greeting !== undefined) greeted(arrival, greeting, now);
    }
  }
}
