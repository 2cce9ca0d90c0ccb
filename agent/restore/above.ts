import { dirname } from "node:path";
import { checkSnapshotPath } from "@restic-manager/restic/commands/snapshot-id";
import { statOf } from "./target.ts";

/**
 * The deepest folder that is above all of what was picked and is on the disk: taken for the root of a restore in place, restic leaves it and
 * all above it alone, extended attributes too. Undefined when that is only `/`.
 *
 * @param paths as the snapshot has them.
 */
export function rootInPlace(paths: readonly string[]): string | undefined {
  const [first = "/", ...others] = paths;
  let root = dirname(first);
  for (const path of others)
    while (root !== "/" && !`${dirname(path)}/`.startsWith(`${root}/`)) root = dirname(root);
  while (root !== "/" && (checkSnapshotPath(root) !== undefined || statOf(root)?.isDirectory() !== true))
    root = dirname(root);
  return root === "/" ? undefined : root;
}

/**
 * The folders above what was picked that are not picked themselves, deepest first. restic goes through them, tells of each, counts it, and
 * writes its metadata; none of that was asked for.
 *
 * @param paths as the snapshot has them; a `/` among them is everything, and nothing lies above that.
 */
export function unpickedAbove(paths: readonly string[]): string[] {
  if (paths.includes("/")) return [];
  const picked = new Set(paths.map((path) => path.replace(/\/+$/, "")));
  const found = new Set<string>();
  for (const path of picked) {
    const folders = foldersAbove(path);
    // What lies in another picked folder is picked with it.
    if (folders.some((folder) => picked.has(folder))) continue;
    for (const folder of folders) found.add(folder);
  }
  return [...found].toSorted((a, b) => b.length - a.length);
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at));
  return folders;
}
