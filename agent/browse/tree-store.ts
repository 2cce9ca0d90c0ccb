import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { TreeReader } from "./tree-reader.ts";
import { TreeWriter } from "./tree-writer.ts";

const WHOLE = ".tree";
const BEGUN = ".begun";

/** A tree that is being written. */
export interface Build {
  writer: TreeWriter;
  /** Makes it readable. The least recently used others make room. */
  finish(): void;
  /** Throws it away. */
  abandon(): void;
}

/**
 * Indexes of snapshots' trees, a file each (0600), named after the tree. A file has its name only when it is whole, so what a crash leaves
 * is known by its name and thrown away; what cannot be read is too. All of it can be made again from the repository.
 */
export class TreeStore {
  readonly #folder: string;
  readonly #mostBytes: number;

  /** @param mostBytes of all files together; a tree that is larger by itself is not kept. */
  constructor(folder: string, mostBytes: number) {
    this.#folder = folder;
    this.#mostBytes = mostBytes;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const file of readdirSync(folder))
      if (!file.endsWith(WHOLE)) rmSync(join(folder, file), { force: true });
  }

  /** Reads from a tree if it is there, which then counts as just used. A damaged file is removed. */
  async read<T>(
    tree: string,
    now: number,
    look: (reader: TreeReader) => T | Promise<T>,
  ): Promise<T | undefined> {
    const path = this.#path(tree, WHOLE);
    let reader: TreeReader | undefined;
    try {
      utimesSync(path, now / 1_000, now / 1_000);
      reader = new TreeReader(path);
      return await look(reader);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT") return undefined;
      rmSync(path, { force: true });
      return undefined;
    } finally {
      reader?.close();
    }
  }

  /** Begins a tree; at most one at a time may have the same name. Throws the system's error. */
  begin(tree: string): Build {
    const path = this.#path(tree, BEGUN);
    rmSync(path, { force: true });
    const writer = new TreeWriter(path);
    return {
      writer,
      finish: () => {
        writer.finish();
        const file = openSync(path, "r");
        fsyncSync(file);
        closeSync(file);
        renameSync(path, this.#path(tree, WHOLE));
        this.#makeRoom(tree);
      },
      abandon: () => {
        writer.abandon();
        rmSync(path, { force: true });
      },
    };
  }

  /** Whether a tree of so many bytes would be kept. */
  fits(bytes: number): boolean {
    return bytes <= this.#mostBytes;
  }

  #makeRoom(keep: string): void {
    const files = readdirSync(this.#folder)
      .filter((file) => file.endsWith(WHOLE))
      .map((file) => ({ file, stat: statSync(join(this.#folder, file)) }))
      .toSorted((a, b) => a.stat.mtimeMs - b.stat.mtimeMs);
    let bytes = files.reduce((sum, { stat }) => sum + stat.size, 0);
    for (const { file, stat } of files) {
      if (bytes <= this.#mostBytes) return;
      if (file === keep + WHOLE) continue;
      rmSync(join(this.#folder, file), { force: true });
      bytes -= stat.size;
    }
  }

  #path(tree: string, ending: string): string {
    if (!/^[0-9a-f]{64}$/.test(tree)) throw new Error("a tree is named by 64 hexadecimal digits");
    return join(this.#folder, tree + ending);
  }
}
