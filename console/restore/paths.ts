/** Paths in a snapshot: absolute, with slashes, `/` for all of it. */

/** The path of what is called `name` in a folder. */
export function within(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** The folder that holds a path; of `/` itself. */
export function folderOf(path: string): string {
  const cut = path.lastIndexOf("/");
  return cut <= 0 ? "/" : path.slice(0, cut);
}

export function nameOf(path: string): string {
  return path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1);
}

/** Every folder above a path, the nearest first, `/` last; nothing is above `/`. */
export function foldersAbove(path: string): string[] {
  const above: string[] = [];
  for (let at = path; at !== "/";) {
    at = folderOf(at);
    above.push(at);
  }
  return above;
}
