import type { Bus } from "../platform/bus.ts";

/** Knows whether the store takes what agents report, and tells the log and the rooms when that changes. */
export class StoreTrouble {
  readonly #parts: { bus: Bus; onError: (error: unknown, doing: string) => void };
  #failing: string | undefined;

  constructor(parts: { bus: Bus; onError: (error: unknown, doing: string) => void }) {
    this.#parts = parts;
  }

  /** What the store just answered; `undefined`: it wrote. */
  note(error: unknown): void {
    const known = error instanceof Error ? error.message : "unknown error";
    const message = error === undefined ? undefined : known;
    if (message === this.#failing) return;
    const changed = (message === undefined) !== (this.#failing === undefined);
    this.#failing = message;
    if (error !== undefined) this.#parts.onError(error, "commit what agents report");
    if (changed)
      this.#parts.bus.publish("store.changed", { failing: message !== undefined, message: message ?? null });
  }
}
