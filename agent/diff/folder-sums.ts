import {
  DIFF_FOLDERS,
  type DiffChange,
  type DiffCounts,
  type DiffFolder,
} from "@restic-manager/protocol/jobs/diff";

/** Folders that are summed up; past that new ones are only counted in those above them that are known. */
const MOST_FOLDERS = 20_000;
/** Bytes of them as JSON: they travel with the result, in a frame. */
const SENT_BYTES = 128 * 1024;

export const noChanges = (): DiffCounts => ({
  added: 0,
  removed: 0,
  modified: 0,
  metadata: 0,
  type_changed: 0,
});

/** Adds up changes by folder, at every depth, in bounded memory. */
export class FolderSums {
  readonly #folders = new Map<string, DiffFolder>();

  add(change: DiffChange): void {
    const grown = (change.size_after ?? 0) - (change.size_before ?? 0);
    for (let at = above(change.path); at !== undefined; at = above(at)) {
      let sums = this.#folders.get(at);
      if (sums === undefined) {
        if (this.#folders.size >= MOST_FOLDERS) continue;
        sums = { path: at, ...noChanges(), bytes: 0 };
        this.#folders.set(at, sums);
      }
      sums[change.kind] += 1;
      sums.bytes += grown;
    }
  }

  /** Those with most changes first. Of a chain of folders that hold the very same changes only the deepest says something. */
  top(): DiffFolder[] {
    const sums = [...this.#folders.values()];
    const sameBelow = new Set(
      sums.flatMap((one) => {
        const parent = above(one.path);
        const known = parent === undefined ? undefined : this.#folders.get(parent);
        return known !== undefined && countOf(known) === countOf(one) ? [known.path] : [];
      }),
    );
    const worth = sums
      .filter(({ path }) => !sameBelow.has(path))
      .toSorted((a, b) => countOf(b) - countOf(a) || (a.path < b.path ? -1 : 1));
    let room = SENT_BYTES;
    const listed: DiffFolder[] = [];
    for (const one of worth.slice(0, DIFF_FOLDERS)) {
      room -= Buffer.byteLength(JSON.stringify(one));
      if (room < 0) break;
      listed.push(one);
    }
    return listed;
  }
}

function countOf({ added, removed, modified, metadata, type_changed }: DiffFolder): number {
  return added + removed + modified + metadata + type_changed;
}

/** The folder a path lies in; undefined for the root itself. */
function above(path: string): string | undefined {
  if (path === "/") return undefined;
  const slash = path.lastIndexOf("/");
  return slash <= 0 ? "/" : path.slice(0, slash);
}
