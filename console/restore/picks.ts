import { folderOf, foldersAbove } from "./paths.ts";

/** Something to restore, with everything below it when it is a folder. */
export interface Picked {
  path: string;
  folder: boolean;
  /** In bytes; zero for a folder. */
  size: number;
  /** Of a folder: how many things lie below it and their bytes, once the agent has counted. */
  below?: { entries: number; bytes: number };
}

/** What is picked. No pick lies below another. */
export interface Picks {
  readonly chosen: ReadonlyMap<string, Picked>;
  /** Every folder above a pick, so that a row's box costs one look. */
  readonly above: ReadonlySet<string>;
  /** Folders that were picked themselves before something was taken out of them. */
  readonly parted: ReadonlySet<string>;
}

export type Tick = "all" | "some" | "none";

/** Most paths of one restore: the protocol's `RESTORE_PATHS`, whose validators a page need not carry. */
export const MOST_PICKS = 20_000;

/** What the page knows of folders. */
export interface Known {
  /** Everything in a folder, or undefined when some of it is not loaded. */
  childrenOf: (folder: string) => readonly Picked[] | undefined;
  entryOf: (path: string) => Picked | undefined;
}

/** `load`: what is in this folder must be known first; `many`: this would take more paths than a restore can have. */
export type Toggled = { ok: true; picks: Picks } | { ok: false; why: "load" | "many"; folder: string };

export const NOTHING_PICKED: Picks = { chosen: new Map(), above: new Set(), parted: new Set() };

function picksOf(chosen: ReadonlyMap<string, Picked>, parted: ReadonlySet<string>): Picks {
  const above = new Set<string>();
  for (const path of chosen.keys()) {
    for (const folder of foldersAbove(path)) {
      // What is above this one was added with it.
      if (above.has(folder)) break;
      above.add(folder);
    }
  }
  return { chosen, above, parted: new Set([...parted].filter((folder) => above.has(folder))) };
}

/** Picks whose names were not UTF-8: U+FFFD stands for each lost byte, and another name may look the same. */
export function notUtf8({ chosen }: Picks): Picked[] {
  return [...chosen.values()].filter(({ path }) => path.includes("\ufffd"));
}

/** Whether a thing is picked, with all, some or none of what is below it. */
export function tickOf(picks: Picks, path: string): Tick {
  if (picks.chosen.has(path) || coverOf(picks, path) !== undefined) return "all";
  return picks.above.has(path) ? "some" : "none";
}

/** The picked folder that a path lies below. */
export function coverOf({ chosen }: Picks, path: string): string | undefined {
  return foldersAbove(path).find((folder) => chosen.has(folder));
}

/**
 * Picks a thing, or takes it away when all of it was picked. What is taken out of a picked folder leaves the folder's other things
 * picked one by one; when they are all picked again, so is the folder. No other folder is ever picked in the stead of what is in it:
 * there may be more in it on the disk than in the snapshot, which a restore in place could delete.
 */
export function toggle(picks: Picks, entry: Picked, known: Known): Toggled {
  const chosen = new Map(picks.chosen);
  if (chosen.delete(entry.path)) return { ok: true, picks: picksOf(chosen, picks.parted) };
  const cover = coverOf(picks, entry.path);
  if (cover === undefined) return add(chosen, picks.parted, entry, known);
  return takeOut(chosen, picks.parted, { cover, path: entry.path }, known);
}

function add(chosen: Map<string, Picked>, parted: ReadonlySet<string>, entry: Picked, known: Known): Toggled {
  const inside = entry.path === "/" ? "/" : `${entry.path}/`;
  for (const path of chosen.keys()) if (path.startsWith(inside)) chosen.delete(path);
  chosen.set(entry.path, entry);
  for (let folder = folderOf(entry.path); parted.has(folder); folder = folderOf(folder)) {
    const children = known.childrenOf(folder);
    const whole = known.entryOf(folder);
    if (children === undefined || whole === undefined || children.length > chosen.size) break;
    if (!children.every(({ path }) => chosen.has(path))) break;
    for (const { path } of children) chosen.delete(path);
    chosen.set(folder, whole);
  }
  if (chosen.size > MOST_PICKS) return { ok: false, why: "many", folder: folderOf(entry.path) };
  return { ok: true, picks: picksOf(chosen, parted) };
}

function takeOut(
  chosen: Map<string, Picked>,
  before: ReadonlySet<string>,
  { cover, path }: { cover: string; path: string },
  known: Known,
): Toggled {
  const parted = new Set(before);
  chosen.delete(cover);
  const chain = [path, ...foldersAbove(path)];
  // From the picked folder down to the one that holds what is taken out.
  for (let step = chain.indexOf(cover); step > 0; step -= 1) {
    const folder = chain[step] ?? cover;
    const children = known.childrenOf(folder);
    if (children === undefined) return { ok: false, why: "load", folder };
    parted.add(folder);
    for (const child of children) if (child.path !== chain[step - 1]) chosen.set(child.path, child);
    if (chosen.size > MOST_PICKS) return { ok: false, why: "many", folder };
  }
  return { ok: true, picks: picksOf(chosen, parted) };
}

export interface PickTotals {
  folders: number;
  /** Files, links and the like that were picked themselves. */
  files: number;
  /** Everything that would be restored, picked folders among it. */
  items: number;
  bytes: number;
  /** False while some folder's contents are not counted yet: there is more than the sums say. */
  exact: boolean;
}

/** What is picked, summed up. `known` has the newest word of a folder that was picked before it was counted. */
export function totalsOf({ chosen }: Picks, known: Pick<Known, "entryOf">): PickTotals {
  const totals: PickTotals = { folders: 0, files: 0, items: 0, bytes: 0, exact: true };
  for (const pick of chosen.values()) {
    totals.items += 1;
    if (!pick.folder) {
      totals.files += 1;
      totals.bytes += pick.size;
      continue;
    }
    totals.folders += 1;
    const below = pick.below ?? known.entryOf(pick.path)?.below;
    if (below === undefined) totals.exact = false;
    else {
      totals.items += below.entries;
      totals.bytes += below.bytes;
    }
  }
  return totals;
}
