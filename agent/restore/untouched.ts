import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  futimesSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  openSync,
  readdirSync,
  realpathSync,
  type Stats,
} from "node:fs";
import type { RestoreIssue } from "@restic-manager/protocol/jobs/restore";
import { asListed } from "@restic-manager/restic/commands/listed-name";
import { lostByte } from "@restic-manager/restic/commands/snapshot-id";
import { unpickedAbove } from "./above.ts";
import { statOf } from "./target.ts";

/** One folder above a pick as it was before restic came: by its path on the disk, which may be no text. */
export interface Kept {
  path: Buffer;
  was: Stats;
}

/**
 * Remembers the folders above what is restored in place: restic writes mode, owner and times of each that it goes through, whatever
 * `overwrite` says. What is not there yet is not remembered, and becomes what restic makes of it.
 *
 * @param paths what was picked, as the snapshot has it.
 * @param root what restic takes for its root; it does not come to what is above.
 */
export function keepAbove(paths: readonly string[], root: string | undefined): Kept[] {
  const kept: Kept[] = [];
  for (const folder of unpickedAbove(paths)) {
    if (root !== undefined && root.startsWith(`${folder}/`)) continue;
    for (const path of onDisk(folder)) {
      const was = statOf(path);
      if (was === undefined) continue;
      kept.push({ path, was });
      if (was.isSymbolicLink()) keepEnd(path, paths, kept);
    }
  }
  return kept;
}

/** restic writes the mode through a link, the rest onto it. */
function keepEnd(link: Buffer, picked: readonly string[], kept: Kept[]): void {
  try {
    const path = Buffer.from(realpathSync(link, { encoding: "buffer" }));
    if (picked.includes(path.toString("utf8"))) return;
    kept.push({ path, was: lstatSync(path) });
  } catch {
    // It leads nowhere.
  }
}

/**
 * Gives back to each what it had; who has become another file is left alone.
 *
 * @returns what could not be put back.
 */
export function putBack(kept: readonly Kept[]): RestoreIssue[] {
  const issues: RestoreIssue[] = [];
  for (const one of kept) {
    try {
      if (one.was.isSymbolicLink()) putBackLink(one);
      else if (one.was.isDirectory() || one.was.isFile()) putBackOpened(one);
    } catch (error) {
      const why = error instanceof Error ? error.message : "unknown error";
      issues.push({
        path: one.path.toString("utf8"),
        message: `its mode, owner or times may have changed: ${why}`,
      });
    }
  }
  return issues;
}

/** Through an open file: whoever owns the folder around it could put a link to anything in its place meanwhile. */
function putBackOpened({ path, was }: Kept): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const now = fstatSync(file);
    if (!isSame(now, was)) return;
    if (now.uid !== was.uid || now.gid !== was.gid) fchownSync(file, was.uid, was.gid);
    // After the owner, whose change takes bits away.
    fchmodSync(file, was.mode & 0o7777);
    futimesSync(file, was.atimeMs / 1_000, was.mtimeMs / 1_000);
  } finally {
    closeSync(file);
  }
}

function putBackLink({ path, was }: Kept): void {
  const now = statOf(path);
  if (now === undefined || !isSame(now, was)) return;
  if (now.uid !== was.uid || now.gid !== was.gid) lchownSync(path, was.uid, was.gid);
  lutimesSync(path, was.atimeMs / 1_000, was.mtimeMs / 1_000);
}

/** Where a path of a snapshot lies on the disk: several where bytes that are no UTF-8 were lost in it, all of which it means. */
function onDisk(path: string): Buffer[] {
  if (!path.includes(lostByte)) return [Buffer.from(path)];
  let found = [Buffer.from("")];
  for (const part of path.split("/").slice(1)) {
    found = found.flatMap((folder) =>
      (part.includes(lostByte) ? namesLike(folder, part) : [Buffer.from(part)]).map((name) =>
        Buffer.concat([folder, Buffer.from("/"), name]),
      ),
    );
  }
  return found;
}

function namesLike(folder: Buffer, listed: string): Buffer[] {
  try {
    return readdirSync(folder.length === 0 ? "/" : folder, { encoding: "buffer" })
      .map((name) => Buffer.from(name))
      .filter((name) => asListed(name) === listed);
  } catch {
    return [];
  }
}

/** A number may be given to the next file at once: the type counts as well. */
function isSame(now: Stats, was: Stats): boolean {
  const type = constants.S_IFMT;
  return now.dev === was.dev && now.ino === was.ino && (now.mode & type) === (was.mode & type);
}
