import { HELLO_DEADLINE_MS } from "@restic-manager/protocol/limits";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Connection } from "./connection.ts";

/** Closes connections on which no hello came in time. One timer for all: a fleet that comes back at once must not set ten thousand. */
export class HelloDeadline {
  readonly #clock: Clock;
  /** By when each must be greeted; in this order, since all have the same time. */
  readonly #waiting = new Map<Connection, number>();
  #timer: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(connection: Connection): void {
    this.#waiting.set(connection, this.#clock.elapsed() + HELLO_DEADLINE_MS);
    this.#timer ??= this.#clock.after(HELLO_DEADLINE_MS, () => this.#look());
  }

  end(connection: Connection): void {
    this.#waiting.delete(connection);
    if (this.#waiting.size > 0) return;
    this.#timer?.();
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.elapsed();
    for (const [connection, late] of this.#waiting) {
      if (late > now) {
        this.#timer = this.#clock.after(late - now, () => this.#look());
        return;
      }
      this.#waiting.delete(connection);
      connection.close("hello_late");
    }
  }
}
