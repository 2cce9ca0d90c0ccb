/**
 * Which row of a tree stands where, without a list of all rows: a folder may hold half a million things of which a page shows thirty.
 */

/** A folder that is open: how many rows its things take (one for the words that stand instead), and what is open in it. */
export interface OpenFolder {
  path: string;
  /** Rows of its own, without what is open among them. */
  rows: number;
  /** Open folders in it, by their place in it. */
  open: readonly { at: number; folder: OpenFolder }[];
}

export interface TreeRow {
  /** The folder it stands in. */
  folder: string;
  /** Its place in that folder, from 0. */
  at: number;
  /** 1 for the things in the tree's root. */
  level: number;
}

/** Rows of a folder with everything that is open in it. */
export function countRows(folder: OpenFolder): number {
  return folder.open.reduce((sum, inner) => sum + countRows(inner.folder), folder.rows);
}

/** The row at an index, from 0. Undefined past the last. */
export function rowAt(folder: OpenFolder, index: number, level = 1): TreeRow | undefined {
  if (index < 0) return undefined;
  let left = index;
  let next = 0;
  for (const inner of folder.open) {
    const before = inner.at - next + 1;
    if (left < before) break;
    left -= before;
    next = inner.at + 1;
    const taken = countRows(inner.folder);
    if (left < taken) return rowAt(inner.folder, left, level + 1);
    left -= taken;
  }
  const at = next + left;
  return at < folder.rows ? { folder: folder.path, at, level } : undefined;
}

/** Where the row of a folder's thing stands; undefined when a folder above it is closed. */
export function indexOfRow(root: OpenFolder, folder: string, at: number): number | undefined {
  if (root.path === folder) {
    const before = root.open.filter((inner) => inner.at < at);
    return before.reduce((sum, inner) => sum + countRows(inner.folder), at);
  }
  let passed = 0;
  for (const inner of root.open) {
    const found = indexOfRow(inner.folder, folder, at);
    if (found !== undefined) return inner.at + 1 + passed + found;
    passed += countRows(inner.folder);
  }
  return undefined;
}
