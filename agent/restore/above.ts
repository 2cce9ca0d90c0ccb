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
