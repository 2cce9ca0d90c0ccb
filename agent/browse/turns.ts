/** Lets so many work at once; the others wait in order. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  /** Does `work` when it is its turn. Whoever leaves while they wait give up their place; rejects with the reason then. */
  async take<T>(cancel: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#turn(cancel);
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #turn(cancel: AbortSignal): Promise<void> {
    cancel.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = (): void => {
      cancel.removeEventListener("abort", leave);
      resolve();
    };
    const leave = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(begin), 1);
      reject(cancel.reason);
    };
    cancel.addEventListener("abort", leave, { once: true });
    this.#waiting.push(begin);
    await promise;
  }
}
