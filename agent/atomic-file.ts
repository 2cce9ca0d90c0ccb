import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Only the owner reads and writes. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/**
 * Writes a private file (0600) so that a reader, or a machine that lost power, finds the old content or the new one and
 * nothing between. Throws the system's error; the old file is then untouched and no temporary file stays.
 */
export function writePrivateFile(path: string, content: string | Uint8Array): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomHex(6)}.tmp`);
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  try {
    const file = openSync(temporary, "wx", PRIVATE_FILE);
    try {
      for (let at = 0; at < bytes.byteLength;) at += writeSync(file, bytes, at);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** Makes a private folder (0700) and those above it; one that is there stays as it is. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
}

/** Throws the system's error unless a file can be made, written and synced in the folder. */
export function probeFolder(path: string): void {
  const probe = join(path, `.probe.${randomHex(6)}`);
  try {
    writePrivateFile(probe, "can this folder be written?\n");
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Random bytes as hexadecimal digits, twice as many. */
export function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** Makes a rename durable. Windows has no such call for folders; its file system journals renames itself. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
