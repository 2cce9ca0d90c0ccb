import type { ResticError } from "../error.ts";

/**
 * Why this cannot name a snapshot; undefined if it can. Only hexadecimal ids, whole or at least 8 characters: `latest` means
 * something else tomorrow, and anything else could be an option or carry a `:folder`.
 */
export function checkSnapshotId(id: string): ResticError | undefined {
  if (/^[0-9a-f]{8,64}$/.test(id)) return undefined;
  return { code: "invalid_input", message: "a snapshot's id is 8 to 64 characters of 0-9 and a-f" };
}

/** Only whole ids, for commands that change or remove what they name. */
export function checkWholeSnapshotId(id: string): ResticError | undefined {
  if (/^[0-9a-f]{64}$/.test(id)) return undefined;
  return { code: "invalid_input", message: "a snapshot that is to be changed is named by its whole id" };
}

/** What restic's JSON has in place of a byte that is no UTF-8. A path with it cannot be an argument, only a pattern. */
export const lostByte = "\ufffd";

/** Why this path in a snapshot cannot be an argument of restic; undefined if it can. */
export function checkSnapshotPath(path: string): ResticError | undefined {
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  if (!path.startsWith("/")) return invalid("a path in a snapshot begins with /");
  if (path.includes("\0")) return invalid("a path contains a NUL byte");
  if (path.includes(lostByte) || !path.isWellFormed()) {
    return invalid("the path has bytes that are no UTF-8, which cannot be an argument of restic");
  }
  return undefined;
}
