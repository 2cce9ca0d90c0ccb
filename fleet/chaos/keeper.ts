/** What a keeper looks after: one process that may die and come back. */
export interface Kept {
  name: string;
  start(): Promise<void>;
  /** Undefined while it runs; its exit code, or the signal that ended it, afterwards. */
  ended(): string | undefined;
}

/** Brings a process up again, as the machine's service manager does, and remembers when nobody had ended it. */
export class Keeper {
  readonly kept: Kept;
  /** Ends that nobody had asked for, since the last look. */
  readonly deaths: string[] = [];
  #turn: Promise<void> = Promise.resolve();
  #wanted = false;

  constructor(kept: Kept) {
    this.kept = kept;
  }

  get running(): boolean {
    return this.#wanted && this.kept.ended() === undefined;
  }

  /** One thing after the other: a process that is being ended is not started meanwhile. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /**
   * Ends it by `end`, leaves it down for a while and starts it again. What does not start now is left to `up`.
   *
   * @param between is done while it is down; what it throws is thrown once the process is up again.
   */
  down(end: () => Promise<void>, forMs: number, between?: () => Promise<void>): Promise<void> {
    return this.inTurn(async () => {
      this.#noteDeath();
      if (this.running) {
        this.#wanted = false;
        await end();
      }
      await Bun.sleep(forMs);
      try {
        await between?.();
      } finally {
        await this.#start();
      }
    });
  }

  /** Has it running, if it can. */
  up(): Promise<void> {
    return this.inTurn(async () => {
      this.#noteDeath();
      if (!this.running) await this.#start();
    });
  }

  async #start(): Promise<void> {
    try {
      await this.kept.start();
      this.#wanted = true;
    } catch (error) {
      this.#wanted = false;
      this.deaths.push(`${this.kept.name} did not start: ${error instanceof Error ? error.message : "?"}`);
    }
  }

  #noteDeath(): void {
    const how = this.kept.ended();
    if (!this.#wanted || how === undefined) return;
    this.#wanted = false;
    this.deaths.push(`${this.kept.name} ended by itself (${how})`);
  }
}
