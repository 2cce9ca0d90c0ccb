import type { TreeEntry } from "@restic-manager/restic/commands/ls";

/** What the index keeps of a thing in a snapshot; its name stands beside it. */
export type Kept = Pick<TreeEntry, "type" | "size" | "mode" | "mtime_ms" | "uid" | "gid"> & {
  /** Of a folder: how many things lie below it at any depth, and their bytes. Zero for anything else. */
  below: { entries: number; bytes: number };
};

/** One thing of a folder, as the index gives it back. */
export type Listed = Kept & { name: string };

/** What an entry takes of an answer, in bytes, at most. */
export function jsonBytes(entry: object): number {
  return Buffer.byteLength(JSON.stringify(entry)) + 1;
}

/** The folder a path lies in; `/` for what lies at the top. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function join(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}
