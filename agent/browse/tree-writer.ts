import type { Database, Statement } from "bun:sqlite";
import type { TreeEntry } from "@restic-manager/restic/commands/ls";
import { packChunk, type Piece } from "./chunk.ts";
import { nameOf, parentOf, type Listed } from "./entry.ts";
import { createTreeFile, folderHash } from "./tree-file.ts";

/** Entries of a chunk: 2,048 take about 30 KiB, and reading one takes half a millisecond. */
const CHUNK_ENTRIES = 2_048;
/** Chunks of one transaction. */
const CHUNKS_AT_ONCE = 16;

/** A folder whose entries are still coming. */
interface Open {
  path: string;
  /** The folder itself, for its parent's list; none for the root. */
  self: Listed | undefined;
  folders: Listed[];
  others: Listed[];
  entries: number;
  bytes: number;
}

/** A piece that waits for its chunk to be full. */
interface Waiting extends Piece {
  rank: 0 | 1;
}

/**
 * Writes a tree while restic lists it: a folder comes before what is in it, and all that is in it before the next beside it. Memory is
 * bounded by a chunk for each level of folders.
 */
export class TreeWriter {
  readonly #db: Database;
  readonly #addChunk: Statement;
  readonly #addPiece: Statement;
  readonly #stack: Open[] = [opened("/", undefined)];
  #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #chunks = 0;
  #pieces = 0;
  /** Bytes of the chunks so far; the file is a little larger. */
  bytes = 0;
  entries = 0;

  constructor(path: string) {
    this.#db = createTreeFile(path);
    this.#addChunk = this.#db.prepare("insert into chunk values (?, ?, ?)");
    this.#addPiece = this.#db.prepare("insert into piece values (?, ?, ?, ?, ?, ?)");
    this.#db.run("begin");
  }

  /** Takes the next entry in restic's order. */
  add(entry: TreeEntry): void {
    const folder = this.#enter(parentOf(entry.path));
    const { type, size, mode, mtime_ms, uid, gid } = entry;
    const listed: Listed = {
      name: nameOf(entry.path),
      type,
      size,
      mode,
      mtime_ms,
      uid,
      gid,
      below: { entries: 0, bytes: 0 },
    };
    this.entries += 1;
    folder.entries += 1;
    if (type === "dir") {
      this.#stack.push(opened(entry.path, listed));
      return;
    }
    folder.bytes += size;
    folder.others.push(listed);
    if (folder.others.length >= CHUNK_ENTRIES) folder.others = this.#put(folder.path, 1, folder.others);
  }

  /** Writes what is left and closes the file, which then is whole. */
  finish(): void {
    while (this.#stack.length > 0) this.#leave();
    this.#flush();
    this.#db.run("commit");
    this.#close();
  }

  /** Closes the file as it is. It is of no use then. */
  abandon(): void {
    this.#close();
  }

  #close(): void {
    this.#addChunk.finalize();
    this.#addPiece.finalize();
    this.#db.close();
  }

  /** Leaves folders until the one at the top is `path`. A listing that skips a folder makes it up. */
  #enter(path: string): Open {
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      if (top.path === path) return top;
      if (isAbove(top.path, path)) break;
      this.#leave();
    }
    const made = opened(path, undefined);
    this.#stack.push(made);
    return made;
  }

  #leave(): void {
    const left = this.#stack.pop();
    if (left === undefined) return;
    if (left.folders.length > 0) this.#put(left.path, 0, left.folders);
    if (left.others.length > 0) this.#put(left.path, 1, left.others);
    const above = this.#stack.at(-1);
    if (above === undefined) {
      this.#db.query("insert into root values (?, ?)").run(left.entries, left.bytes);
      return;
    }
    above.entries += left.entries;
    above.bytes += left.bytes;
    if (left.self === undefined) return;
    left.self.below = { entries: left.entries, bytes: left.bytes };
    above.folders.push(left.self);
    if (above.folders.length >= CHUNK_ENTRIES) above.folders = this.#put(above.path, 0, above.folders);
  }

  /** Answers the folder's next list, which is empty. */
  #put(folder: string, rank: 0 | 1, entries: Listed[]): Listed[] {
    this.#waiting.push({ folder, rank, entries });
    this.#waitingEntries += entries.length;
    if (this.#waitingEntries >= CHUNK_ENTRIES) this.#flush();
    return [];
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    const { names, facts } = packChunk(this.#waiting);
    const chunk = this.#chunks++;
    this.#addChunk.run(chunk, names, facts);
    let place = 0;
    for (const { folder, rank, entries } of this.#waiting) {
      this.#addPiece.run(folderHash(folder), rank, this.#pieces++, chunk, place, entries.length);
      place += entries.length;
    }
    this.bytes += names.byteLength + facts.byteLength + 32 * this.#waiting.length;
    this.#waiting = [];
    this.#waitingEntries = 0;
    if (this.#chunks % CHUNKS_AT_ONCE === 0) {
      this.#db.run("commit");
      this.#db.run("begin");
    }
  }
}

function opened(path: string, self: Listed | undefined): Open {
  return { path, self, folders: [], others: [], entries: 0, bytes: 0 };
}

function isAbove(folder: string, path: string): boolean {
  return folder === "/" || path.startsWith(`${folder}/`);
}
