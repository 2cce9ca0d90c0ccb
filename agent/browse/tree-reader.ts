import { Database } from "bun:sqlite";
import { unpackFacts, unpackNames } from "./chunk.ts";
import { join, jsonBytes, type Kept, type Listed } from "./entry.ts";
import { fold, type NamePattern } from "./name-pattern.ts";
import { folderHash, TREE_FORMAT } from "./tree-file.ts";

/** A page of a folder. `next` is where the one after it begins. */
export interface FolderPage {
  entries: Listed[];
  /** Things in the folder, on all pages. */
  total: number;
  next: number | undefined;
}

export interface Found extends Listed {
  path: string;
}

export interface FoundPage {
  entries: Found[];
  /** Where to go on; undefined when everything was looked through. */
  next: string | undefined;
}

interface PieceRow {
  chunk: number;
  place: number;
  count: number;
}
interface ChunkRow {
  names: Uint8Array<ArrayBuffer>;
  facts: Uint8Array<ArrayBuffer>;
}

/** Chunks looked through in one go, before others get their turn: about 10 ms. */
const CHUNKS_AT_A_TIME = 32;

/** Reads a whole tree file. Small and quick to open: whoever asks opens one and closes it. */
export class TreeReader {
  readonly #db: Database;

  /** @throws SQLiteError or an Error when the file is damaged or of another format. */
  constructor(path: string) {
    this.#db = new Database(path, { readonly: true, strict: true });
    const version = this.#db.query<{ user_version: number }, []>("pragma user_version").get()?.user_version;
    if (version === TREE_FORMAT) return;
    this.#db.close();
    throw new Error(`the index has format ${version}`);
  }

  close(): void {
    this.#db.close();
  }

  /** All there is in the snapshot. */
  total(): { entries: number; bytes: number } {
    const root = this.#db.query<{ entries: number; bytes: number }, []>("select * from root").get();
    if (root === null) throw new Error("the index is not whole");
    return root;
  }

  /**
   * Part of a folder: first its folders, then the rest, each in restic's order, which is by name.
   *
   * @param bytes most that the entries may take as JSON; at least one comes all the same.
   */
  page(folder: string, from: number, limit: number, bytes: number): FolderPage {
    const pieces = this.#pieces(folder);
    const total = pieces.reduce((sum, piece) => sum + piece.count, 0);
    const entries: Listed[] = [];
    let begin = 0;
    let room = bytes;
    for (const piece of pieces) {
      const end = begin + piece.count;
      if (end > from && room > 0 && entries.length < limit) {
        const most = Math.min(limit - entries.length, end - Math.max(from, begin));
        for (const entry of this.#read(piece, Math.max(0, from - begin), most)) {
          room -= jsonBytes(entry);
          if (room <= 0 && entries.length > 0) break;
          entries.push(entry);
        }
      }
      begin = end;
    }
    const next = from + entries.length;
    return { entries, total, next: next < total ? next : undefined };
  }

  /** Whether the folder is there. An empty one is in its parent's list only. */
  has(folder: string): boolean {
    if (folder === "/" || this.#pieces(folder).length > 0) return true;
    const slash = folder.lastIndexOf("/");
    const name = folder.slice(slash + 1);
    return this.#pieces(slash <= 0 ? "/" : folder.slice(0, slash), 0).some((piece) =>
      this.#read(piece, 0, piece.count).some((entry) => entry.name === name),
    );
  }

  /**
   * Looks for names in the whole tree, or below a folder. Gives way to other work now and then, and ends with what there is when nobody
   * waits any more.
   *
   * @param cursor `next` of the page before.
   */
  async search(
    pattern: NamePattern,
    options: { below: string; cursor: string | undefined; limit: number; bytes: number; cancel: AbortSignal },
  ): Promise<FoundPage> {
    const [, chunkText = "0", placeText = "0"] = /^(\d{1,9})\.(\d{1,9})$/.exec(options.cursor ?? "") ?? [];
    const chunks = this.#db.query<ChunkRow & { id: number }, [number]>(
      "select id, names, facts from chunk where id >= ? order by id",
    );
    const matches = lookerOf(pattern);
    const entries: Found[] = [];
    let room = options.bytes;
    let looked = 0;
    let from = Number(chunkText);
    let skip = Number(placeText);
    for (;;) {
      let last: number | undefined;
      for (const { id, names, facts } of chunks.iterate(from)) {
        const text = unpackNames(names);
        // Most chunks have no match, and this alone tells.
        const folded = fold(text);
        if (folded.includes(pattern.literal)) {
          let factsOf: ((place: number) => Kept) | undefined;
          for (const { path, name, place } of matches(text, folded, pattern, options.below)) {
            if (place < skip) continue;
            if (entries.length >= options.limit) return { entries, next: `${id}.${place}` };
            factsOf ??= unpackFacts(facts);
            const entry = { path, name, ...factsOf(place) };
            room -= jsonBytes(entry);
            if (room <= 0 && entries.length > 0) return { entries, next: `${id}.${place}` };
            entries.push(entry);
          }
        }
        skip = 0;
        looked += 1;
        last = id;
        if (looked % CHUNKS_AT_A_TIME === 0) break;
      }
      if (last === undefined || looked % CHUNKS_AT_A_TIME !== 0) return { entries, next: undefined };
      from = last + 1;
      await new Promise<void>((resolve) => void setImmediate(resolve));
      if (options.cancel.aborted) return { entries, next: `${from}.0` };
    }
  }

  #pieces(folder: string, rank: 0 | 1 = 1): PieceRow[] {
    return this.#db
      .query<PieceRow, [Uint8Array, number]>(
        "select chunk, place, count from piece where folder = ? and rank <= ? order by rank, seq",
      )
      .all(folderHash(folder), rank);
  }

  #chunk(id: number): ChunkRow {
    const row = this.#db.query<ChunkRow, [number]>("select names, facts from chunk where id = ?").get(id);
    if (row === null) throw new Error("the index is damaged");
    return row;
  }

  #read(piece: PieceRow, from: number, count: number): Listed[] {
    const { names, facts } = this.#chunk(piece.chunk);
    const factsOf = unpackFacts(facts);
    const begin = piece.place + from;
    return allNames(unpackNames(names))
      .slice(begin, begin + count)
      .map((name, at) => ({ name, ...factsOf(begin + at) }));
  }
}

interface Match {
  path: string;
  name: string;
  place: number;
}

function lookerOf({ wholePath, folder }: NamePattern): typeof namesIn {
  if (!wholePath) return namesIn;
  return folder === undefined ? pathsIn : foldersIn;
}

/** The names of a chunk in their order. */
function allNames(text: string): string[] {
  return text.split("\0").filter((token) => !token.startsWith("/"));
}

const count = (text: string, part: string): number => text.split(part).length - 1;

/**
 * The matches in a chunk, in order. Everything but the matches themselves is done by the runtime, not by code of ours.
 *
 * @param folded `text`, folded.
 */
function* namesIn(text: string, folded: string, pattern: NamePattern, below: string): Generator<Match> {
  const inside = join(below, "");
  const tokens = text.split("\0");
  const names = `\0${folded}\0`;
  // How many tokens, and folders among them, begin before `at`.
  let at = 0;
  let before = 0;
  let folders = 0;
  for (const { index } of names.matchAll(pattern.expression)) {
    const passed = names.slice(at, index);
    at = index;
    before += count(passed, "\0");
    folders += count(passed, "\0/");
    const begin = names.lastIndexOf("\0/", index);
    const folder = tokens[before - count(names.slice(begin, index), "\0")] ?? "/";
    const name = tokens[before] ?? "";
    const path = join(folder, name);
    if (path.startsWith(inside)) yield { path, name, place: before - folders };
  }
}

/** The same for a pattern of whole paths, first of folders and then of names in them. */
function* foldersIn(text: string, folded: string, pattern: NamePattern, below: string): Generator<Match> {
  const inside = join(below, "");
  const tokens = text.split("\0");
  const names = `\0${folded}\0`;
  let at = 0;
  let before = 0;
  let folders = 0;
  for (const { index } of names.matchAll(pattern.folder ?? pattern.expression)) {
    const passed = names.slice(at, index);
    at = index;
    before += count(passed, "\0");
    folders += count(passed, "\0/");
    const folder = tokens[before] ?? "/";
    if (!join(folder, "").startsWith(inside)) continue;
    const begin = names.indexOf("\0", index + 1);
    const end = names.indexOf("\0/", begin);
    const own = names.slice(begin, end === -1 ? names.length : end + 1);
    let last = 0;
    let nth = 0;
    for (const { index: found } of own.matchAll(pattern.expression)) {
      nth += count(own.slice(last, found), "\0");
      last = found;
      const name = tokens[before + 1 + nth] ?? "";
      yield { path: join(folder, name), name, place: before - folders + nth };
    }
  }
}

/** The same for a pattern whose last part may stand for folders, too: each folder's names are looked through with its path before them. */
function* pathsIn(text: string, folded: string, pattern: NamePattern, below: string): Generator<Match> {
  const inside = join(below, "");
  const pieces = text.slice(1).split("\0/");
  let place = 0;
  for (const [at, foldedPiece] of folded.slice(1).split("\0/").entries()) {
    const piece = pieces[at] ?? "";
    const end = piece.indexOf("\0");
    const folder = `/${piece.slice(0, end)}`;
    if (foldedPiece.includes(pattern.literal) && join(folder, "").startsWith(inside)) {
      const [foldedFolder = ""] = foldedPiece.split("\0", 1);
      const prefix = join(`/${foldedFolder}`, "");
      const list = foldedPiece.slice(foldedFolder.length);
      const paths = `${list.replaceAll("\0", () => `\0${prefix}`)}\0`;
      const names = piece.slice(end + 1).split("\0");
      let last = 0;
      let nth = 0;
      for (const { index } of paths.matchAll(pattern.expression)) {
        nth += count(paths.slice(last, index), "\0");
        last = index;
        const name = names[nth] ?? "";
        yield { path: join(folder, name), name, place: place + nth };
      }
    }
    place += count(piece, "\0");
  }
}
