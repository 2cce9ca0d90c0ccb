import { accessSync, constants, lstatSync, readdirSync, realpathSync, statSync, type Stats } from "node:fs";
import { dirname, join, sep } from "node:path";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { RestoreTarget } from "@restic-manager/protocol/jobs/restore";

/** What a restore must know of its machine. */
export interface RestorePlaces {
  /** Where restores go that name no folder. */
  restoreDir: string;
  /** The agent's own folders: written over, they would take its memory and its keys. */
  own: readonly string[];
  /** This machine's own when left out. */
  platform?: NodeJS.Platform;
}

/** Where a restore goes: a folder of its own, or `/` for in place. */
export type Destination = { inPlace: boolean; where: string };

/** Not file systems of a disk: what is written there is gone, or changes the running system. */
const KERNEL = ["/proc", "/sys", "/dev", "/run"];
/** In bytes, of any disk that Linux or macOS knows (NAME_MAX). */
const LONGEST_NAME = 255;

/**
 * Says where a restore goes, or by which rule it may not go there.
 *
 * A folder that is named must be new or empty, since ownership is taken from all that is in it afterwards; only below `restoreDir`,
 * where nothing but restores is, a former one may be completed.
 */
export function destinationOf(
  target: RestoreTarget,
  jobId: string,
  { restoreDir, own }: RestorePlaces,
): { ok: true; destination: Destination } | { ok: false; error: JobError } {
  if (target.kind === "in_place") return { ok: true, destination: { inPlace: true, where: "/" } };
  const where = stripped(target.path ?? join(restoreDir, jobId));
  const never = whyNoPlace(where);
  if (never !== undefined) return refused(never.words);
  const real = realOf(where);
  const among = (folder: string): boolean => isWithin(real, realOf(folder));
  const kernel = KERNEL.find(among);
  if (where === "/" || real === "/")
    return refused(
      `a new folder is needed, and ${where} is the root of the machine`,
      "To bring files back to where they were, restore in place.",
    );
  if (kernel !== undefined) return refused(`${where} is in ${kernel}, which is no place for files`);
  const inRestores = among(restoreDir) && real !== realOf(restoreDir);
  const mine = own.find(among);
  if (mine !== undefined && !inRestores)
    return refused(`${where} is in ${mine}, which is the agent's own`, "Choose a folder outside of it.");
  const there = followed(real);
  if (there !== undefined && !there.isDirectory()) return refused(`${where} is not a folder`);
  const why = whyNotWritable(where);
  if (why !== undefined) return { ok: false, error: why };
  if (there !== undefined && !inRestores && readdirSync(real).length > 0)
    return refused(
      `${where} is not empty`,
      "A restore to a new folder takes the ownership from all that is in it. Name a folder that is not there yet.",
    );
  return { ok: true, destination: { inPlace: false, where } };
}

/** The first of these paths that cannot be written in place, with the rule that forbids it. */
export function refusedInPlace(
  paths: readonly string[],
  platform: NodeJS.Platform = process.platform,
): JobError | undefined {
  // A snapshot has C:\Users as /C/Users; restic would make a folder of that name.
  if (platform === "win32")
    return refused(
      "on Windows files cannot be restored to where they were",
      "Restore to a new folder, and move the files from there.",
    ).error;
  const asked = new Set<string>();
  const folders = new Set<string>();
  for (const path of paths) {
    const folder = dirname(path);
    if (!folders.has(folder)) {
      folders.add(folder);
      if (statOf(folder)?.isSymbolicLink() === true && !paths.includes(folder))
        return refused(
          `${folder} is a link on this machine and a folder in the snapshot; restic would put a folder in its place`,
          "Restore to a new folder, and move the files from there.",
        ).error;
    }
    // Bytes that are no UTF-8 are three each in the text, so it may be longer than the name.
    const why = whyNoPlace(path);
    if (why !== undefined && !(why.long && path.includes("\ufffd"))) return refused(why.words).error;
    const place = nearest(path);
    if (asked.has(place)) continue;
    asked.add(place);
    const forbidden = whyNotWritable(place, path);
    if (forbidden !== undefined) return forbidden;
  }
  return undefined;
}

/** Why nothing can be written at this path, or where it would be made. Read-only counts for root as well. */
function whyNotWritable(path: string, shown = path): JobError | undefined {
  const place = nearest(path);
  try {
    accessSync(place, constants.W_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    const folder = followed(place)?.isDirectory() === true ? place : dirname(place);
    if (code === "EROFS") return readOnly(shown, folder);
    return {
      code: "target_refused",
      message: `The agent's user may not write to ${folder}, where ${shown} is to go.`,
      hint: "Restore to another folder, or run the agent as root.",
    };
  }
}

function readOnly(shown: string, folder: string): JobError {
  return {
    code: "target_refused",
    message: `${shown} is read-only for the agent: its service runs with ProtectSystem=strict, which lets it write only what ReadWritePaths names.`,
    hint: `To allow it: systemctl edit restic-manager-agent, [Service], ReadWritePaths=${folder}, and systemctl restart restic-manager-agent. Or restore to a new folder and move the files. A disk that is mounted read-only has to be mounted anew.`,
  };
}

/** The path itself, or the folder above it that is there. */
export function nearest(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    if (statOf(at) !== undefined || dirname(at) === at) return at;
  }
}

/** What is at this path, links not followed; undefined where nothing is or can be. */
export function statOf(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

function followed(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** Why nothing can ever be at this path, whoever writes it. */
function whyNoPlace(path: string): { words: string; long: boolean } | undefined {
  const long = { words: `${path} has a name that is longer than a file's may be`, long: true };
  // Windows counts characters, and says so itself.
  const isLong = (name: string): boolean =>
    process.platform !== "win32" && Buffer.byteLength(name) > LONGEST_NAME;
  if (path.split(sep).some(isLong)) return long;
  try {
    lstatSync(path);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENAMETOOLONG") return long;
    if (code === "ELOOP") return { words: `the links on the way to ${path} lead in a circle`, long: false };
    return code === "ENOTDIR"
      ? { words: `${path} cannot be there: ${nearest(path)} is not a folder`, long: false }
      : undefined;
  }
}

/** With the links in the part that is there followed. */
export function realOf(path: string): string {
  const there = nearest(path);
  try {
    return stripped(join(realpathSync(there), path.slice(there.length)));
  } catch {
    // A link that leads nowhere.
    return stripped(path);
  }
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

function stripped(path: string): string {
  return join(path, ".").replace(/(?<=.)[\\/]+$/, "");
}

function refused(why: string, hint?: string): { ok: false; error: JobError } {
  const message = `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
  return { ok: false, error: { code: "target_refused", message, ...(hint === undefined ? {} : { hint }) } };
}
