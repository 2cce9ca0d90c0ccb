import type { TreeFolder } from "@restic-manager/protocol/api/tree";
import type { TreeEntry } from "@restic-manager/protocol/tree";
import { asProblem, type ApiProblem } from "../api-problem.ts";
import { folderOf, nameOf, within } from "./paths.ts";
import { MOST_PICKS, type Known, type Picked } from "./picks.ts";
import type { OpenFolder } from "./tree-rows.ts";

/** Things asked for at once. */
const PAGE = 500;
/** While the agent indexes a snapshot it is asked again this often. */
const AGAIN_MS = 2_000;
/** Pages of one folder under way at once. Somebody who drags the scroll bar passes hundreds, and wants the last: it is asked for next. */
const PAGES_UNDER_WAY = 4;

export interface FolderState {
  path: string;
  /** Things in it; undefined until the first answer. */
  total: number | undefined;
  /** By their place; pages come in any order, so there are holes. */
  items: TreeEntry[];
  loaded: number;
  /** Places from which a page is under way, or will be asked for again by itself. */
  asking: Set<number>;
  problem: ApiProblem | undefined;
  indexed: boolean;
  /** The server still had it of a machine that is away. */
  kept: boolean;
  /** When the agent said it, ISO 8601. */
  at: string | undefined;
}

export interface TreeAsk {
  (
    wanted: { path: string; cursor?: string; limit: number; indexed?: string },
    gone: AbortSignal,
  ): Promise<TreeFolder>;
}

export interface TreeBookParts {
  ask: TreeAsk;
  /** Calls back once, after so many ms; answers how to prevent it. */
  after: (ms: number, act: () => void) => () => void;
}

/**
 * What a page knows of a snapshot's folders: pages that were looked at, and which folders are open. A folder of half a million things is
 * asked for where somebody looks. Nothing is asked any more after `leave`.
 */
export class TreeBook {
  readonly #parts: TreeBookParts;
  readonly #folders = new Map<string, FolderState>();
  /** Open folders with their place in the folder that holds them. */
  readonly #open = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #waits = new Set<() => void>();
  #gone = new AbortController();
  #version = 0;
  /** Everything in the snapshot, once the agent has counted. */
  whole: TreeFolder["snapshot"];
  /** The snapshot is too large for an index: no sums, no search. */
  unindexable = false;

  constructor(parts: TreeBookParts) {
    this.#parts = parts;
  }

  subscribe = (onChange: () => void): (() => void) => {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  };
  /** Another number whenever anything changed. */
  version = (): number => this.#version;

  /** Nobody looks any more: what is under way is cancelled. It may be asked again. */
  leave(): void {
    this.#gone.abort();
    this.#gone = new AbortController();
    for (const prevent of this.#waits) prevent();
    this.#waits.clear();
    for (const folder of this.#folders.values()) folder.asking.clear();
  }

  folder(path: string): FolderState | undefined {
    return this.#folders.get(path);
  }

  isOpen(path: string): boolean {
    return this.#open.has(path);
  }

  /** Opens a folder that stands at this place in its own. */
  open(path: string, at: number): void {
    this.#open.set(path, at);
    this.need(path, 0);
    this.#changed();
  }

  close(path: string): void {
    this.#open.delete(path);
    this.#changed();
  }

  /** Asks for the page around a place, unless it is there or under way. */
  need(path: string, at: number): void {
    const folder = this.#folders.get(path) ?? this.#begin(path);
    if (folder.problem !== undefined || folder.items[at] !== undefined) return;
    if (folder.total !== undefined && at >= folder.total) return;
    // An answer may hold fewer than were asked for: then the next page begins where it ended.
    let from = at - (at % PAGE);
    while (from < at && folder.items[from] !== undefined) from += 1;
    // Whoever still looks there asks again when one of them has come.
    if (folder.asking.has(from) || folder.asking.size >= PAGES_UNDER_WAY) return;
    void this.#load(folder, from);
  }

  retry(path: string): void {
    const folder = this.#folders.get(path);
    if (folder === undefined) return;
    folder.problem = undefined;
    this.need(path, 0);
    this.#changed();
  }

  /** Asks for all of a folder, so that something can be taken out of it. False when it holds too much, or cannot be read. */
  async loadAll(path: string): Promise<boolean> {
    const folder = this.#folders.get(path) ?? this.#begin(path);
    for (let from = 0; folder.total === undefined || from < folder.total;) {
      if ((folder.total ?? 0) > MOST_PICKS || folder.problem !== undefined) return false;
      if (folder.items[from] !== undefined) from += 1;
      // One page tells where the next one begins.
      // oxlint-disable-next-line no-await-in-loop
      else if (!(await this.#load(folder, from))) return false;
    }
    return true;
  }

  /** Folders that the server says it can still show of a machine that is away, and those that are here already; by path. */
  keptFolders(): string[] {
    const paths = new Set<string>();
    for (const { path, total, problem } of this.#folders.values()) {
      if (total !== undefined) paths.add(path);
      if (problem?.code === "host_offline") for (const kept of problem.folders) paths.add(kept);
    }
    return [...paths].toSorted();
  }

  /** The rows of a tree with this root. */
  rows(root: string): OpenFolder {
    const inside = new Map<string, { at: number; path: string }[]>();
    for (const [path, at] of this.#open) {
      const holder = folderOf(path);
      inside.set(holder, [...(inside.get(holder) ?? []), { at, path }]);
    }
    const made = (path: string): OpenFolder => {
      const folder = this.#folders.get(path);
      const rows = folder?.problem === undefined ? Math.max(1, folder?.total ?? 1) : 1;
      const open = (inside.get(path) ?? [])
        .filter(({ at }) => folder?.items[at] !== undefined && at < rows)
        .toSorted((a, b) => a.at - b.at)
        .map((inner) => ({ at: inner.at, folder: made(inner.path) }));
      return { path, rows, open };
    };
    return made(root);
  }

  readonly known: Known = {
    childrenOf: (path) => {
      const folder = this.#folders.get(path);
      if (folder === undefined || folder.loaded !== folder.total) return undefined;
      return folder.items.map((entry) => pickedOf(path, entry));
    },
    entryOf: (path) => {
      if (path === "/") return rootOf(this.whole);
      const name = nameOf(path);
      const holder = folderOf(path);
      // Folders come first and by name: what is not loaded is not known.
      const entry = this.#folders.get(holder)?.items.find((one) => one?.name === name);
      return entry === undefined ? undefined : pickedOf(holder, entry);
    },
  };

  #begin(path: string): FolderState {
    const folder: FolderState = {
      path,
      total: undefined,
      items: [],
      loaded: 0,
      asking: new Set(),
      problem: undefined,
      indexed: false,
      kept: false,
      at: undefined,
    };
    this.#folders.set(path, folder);
    return folder;
  }

  async #load(folder: FolderState, from: number, indexed = false): Promise<boolean> {
    const gone = this.#gone.signal;
    folder.asking.add(from);
    const { path } = folder;
    let again = false;
    try {
      const page = await this.#parts.ask(
        {
          path,
          limit: PAGE,
          ...(from === 0 ? {} : { cursor: String(from) }),
          ...(indexed ? { indexed: "true" } : {}),
        },
        gone,
      );
      if (gone.aborted) return false;
      this.#take(folder, from, page);
      return true;
    } catch (error) {
      if (gone.aborted) return false;
      const problem = asProblem(error);
      if (problem.code === "snapshot_too_large") this.unindexable = true;
      again = problem.code === "snapshot_indexing" || problem.code === "agent_busy";
      if (again) this.#later(() => void this.#load(folder, from, indexed));
      // Sums that do not come leave what is shown as it is.
      else if (!indexed) folder.problem = problem;
      return false;
    } finally {
      if (!gone.aborted) {
        if (!again) folder.asking.delete(from);
        this.#changed();
      }
    }
  }

  #take(folder: FolderState, from: number, page: TreeFolder): void {
    folder.total = page.total;
    folder.kept = page.source === "kept";
    folder.at = page.at;
    for (const [n, entry] of page.items.entries()) {
      if (folder.items[from + n] === undefined) folder.loaded += 1;
      folder.items[from + n] = entry;
    }
    if (page.snapshot !== undefined) this.whole = page.snapshot;
    const was = folder.indexed;
    if (from === 0 || page.indexed) folder.indexed = page.indexed;
    if (!page.indexed && page.source === "agent" && !this.unindexable) void this.#load(folder, from, true);
    else if (page.indexed && !was) this.#countTheRest();
  }

  /** Once there is an index, folders that were shown before it get their sums. */
  #countTheRest(): void {
    for (const folder of this.#folders.values())
      if (!folder.indexed && folder.total !== undefined && folder.asking.size === 0)
        void this.#load(folder, 0, true);
  }

  #later(act: () => void): void {
    const prevent = this.#parts.after(AGAIN_MS, () => {
      this.#waits.delete(prevent);
      act();
    });
    this.#waits.add(prevent);
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

/** A tree's entry as something to pick. */
export function pickedOf(folder: string, { name, type, size, below }: TreeEntry): Picked {
  return {
    path: within(folder, name),
    folder: type === "dir",
    size,
    ...(below === undefined ? {} : { below }),
  };
}

function rootOf(whole: TreeFolder["snapshot"]): Picked {
  return { path: "/", folder: true, size: 0, ...(whole === undefined ? {} : { below: whole }) };
}
