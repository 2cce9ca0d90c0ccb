import type { Socket } from "bun";

/** One direction of a connection: what came in and has not gone out, and how it goes. */
export class Pipe {
  #to: Socket<unknown> | undefined;
  #waiting: Uint8Array[] = [];
  #held = false;
  #bytesPerTurn = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setInterval> | undefined;
  #black = false;
  #ending = false;
  #cutWith: (() => void) | undefined;

  /** How often a slow pipe lets something through, in milliseconds. */
  static readonly TURN_MS = 20;

  lead(to: Socket<unknown>): void {
    this.#to = to;
    this.flow();
  }

  take(bytes: Uint8Array): void {
    if (this.#black) return;
    const cut = this.#cutWith;
    if (cut !== undefined && bytes.length > 1) {
      this.#waiting.push(bytes.slice(0, bytes.length >> 1));
      this.#cutWith = undefined;
      this.#held = false;
      this.#setSpeed(Number.POSITIVE_INFINITY);
      this.flow();
      return cut();
    }
    this.#waiting.push(bytes.slice());
    if (this.#timer === undefined) this.flow();
  }

  /** Sends what the other side takes; also to be called when it takes more. */
  flow(most = this.#bytesPerTurn): void {
    if (this.#held || this.#to === undefined) return;
    let left = most;
    while (left > 0) {
      const [bytes] = this.#waiting;
      if (bytes === undefined) break;
      const taken = Math.max(0, this.#to.write(bytes.length > left ? bytes.subarray(0, left) : bytes));
      left -= taken;
      if (taken === bytes.length) this.#waiting.shift();
      else {
        this.#waiting[0] = bytes.subarray(taken);
        if (left > 0) return;
      }
    }
    if (this.#ending && this.#waiting.length === 0) this.#to.end();
  }

  /** Lets nothing through until it is freed; what comes waits. */
  hold(): void {
    this.#held = true;
  }

  slow(bytesPerSecond: number): void {
    this.#setSpeed(Math.max(1, Math.ceil((bytesPerSecond * Pipe.TURN_MS) / 1_000)));
  }

  free(): void {
    this.#held = false;
    this.#setSpeed(Number.POSITIVE_INFINITY);
    this.flow();
  }

  /** From now on everything vanishes. */
  swallow(): void {
    this.#black = true;
    this.#waiting = [];
  }

  /** The next piece goes through by half, then `cut` is called. */
  cutNext(cut: () => void): void {
    this.#cutWith = cut;
  }

  /** Ends the other side once it has everything. */
  endAfter(): void {
    this.#ending = true;
    if (this.#timer === undefined) this.flow();
  }

  stop(): void {
    this.#setSpeed(Number.POSITIVE_INFINITY);
    this.#waiting = [];
    this.#to = undefined;
  }

  #setSpeed(bytesPerTurn: number): void {
    this.#bytesPerTurn = bytesPerTurn;
    clearInterval(this.#timer);
    this.#timer =
      bytesPerTurn === Number.POSITIVE_INFINITY ? undefined : setInterval(() => this.flow(), Pipe.TURN_MS);
  }
}
