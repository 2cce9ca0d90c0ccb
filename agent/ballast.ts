import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";

/** Larger than the WAL may grow (2 MiB of pages, 4 MiB file): what a full disk needs to let a DELETE and an outcome through. */
export const BALLAST_BYTES = 8 * 1024 * 1024;

/**
 * A file that only takes up room. On a full disk even DELETE fails in SQLite; giving the ballast up lets outcomes be
 * written. It is laid again when there is room.
 */
export class Ballast {
  readonly #path: string;
  readonly #bytes: number;

  constructor(path: string, bytes: number = BALLAST_BYTES) {
    this.#path = path;
    this.#bytes = bytes;
  }

  get laid(): boolean {
    return existsSync(this.#path);
  }

  /** Returns false when the disk has no room for it. Really written, since a sparse file would hold nothing. */
  lay(): boolean {
    if (this.laid) return true;
    let file: number | undefined;
    try {
      file = openSync(this.#path, "wx", 0o600);
      const block = new Uint8Array(256 * 1024);
      for (let written = 0; written < this.#bytes;) written += writeSync(file, block);
      fsyncSync(file);
      return true;
    } catch {
      rmSync(this.#path, { force: true });
      return false;
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** Returns false when there was nothing to give up. */
  giveUp(): boolean {
    if (!this.laid) return false;
    rmSync(this.#path, { force: true });
    return true;
  }
}
