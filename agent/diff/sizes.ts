import type { TreeReader } from "../browse/tree-reader.ts";

/** Folders with more than that are not looked through for one file. */
const LARGE = 50_000;

/** Sizes of files from a snapshot's index. Changes come folder by folder, so one folder is kept. */
export class Sizes {
  readonly #reader: Pick<TreeReader, "page">;
  #folder: string | undefined;
  #sizes = new Map<string, number>();

  constructor(reader: Pick<TreeReader, "page">) {
    this.#reader = reader;
  }

  /** In bytes; undefined for what is no file, or is not there. */
  of(path: string): number | undefined {
    const slash = path.lastIndexOf("/");
    const folder = slash <= 0 ? "/" : path.slice(0, slash);
    if (folder !== this.#folder) {
      this.#folder = folder;
      const { entries } = this.#reader.page(folder, 0, LARGE, Number.MAX_SAFE_INTEGER);
      this.#sizes = new Map(
        entries.flatMap(({ name, type, size }) => (type === "file" ? [[name, size]] : [])),
      );
    }
    return this.#sizes.get(path.slice(slash + 1));
  }
}
