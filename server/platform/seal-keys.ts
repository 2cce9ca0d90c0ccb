import { createHash, randomBytes } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** One key of the key file. */
export interface SealKey {
  /** 8 hexadecimal digits made from the key; safe to show. */
  id: string;
  bytes: Buffer;
}

/** The key file, or the database beside it, cannot be used. The message is for the operator. */
export class SealError extends Error {
  override name = "SealError";
}

const KEY_BYTES = 32;
/** Base64 of 32 bytes. */
const KEY_TEXT = /^[A-Za-z0-9+/]{43}=$/;

/**
 * Reads a key file: one key of 32 bytes in base64 per line. The first seals, all open. Null when there is no file.
 *
 * @throws SealError naming the file when it cannot be read or a line is no key.
 */
export function readKeyFile(path: string): SealKey[] | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new SealError(
      `the key file ${path} cannot be read: ${error instanceof Error ? error.message : ""}`,
    );
  }
  const lines = text.split("\n").map((line) => line.trim());
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length === 0) throw new SealError(`the key file ${path} holds no key`);
  return keys.map((line, index) => {
    if (!KEY_TEXT.test(line))
      throw new SealError(`the key file ${path}: key ${index + 1} is not 32 bytes in base64 (44 characters)`);
    return sealKey(Buffer.from(line, "base64"));
  });
}

/**
 * Makes a key file with one new key: mode 0600, on the disk before this returns, never over an existing one.
 *
 * @throws SealError naming the file.
 */
export function createKeyFile(path: string): SealKey[] {
  const bytes = randomBytes(KEY_BYTES);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const file = openSync(path, "wx", 0o600);
    try {
      writeSync(file, `${bytes.toString("base64")}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new SealError(
      `the key file ${path} cannot be made: ${error instanceof Error ? error.message : ""}`,
    );
  }
  return [sealKey(bytes)];
}

function sealKey(bytes: Buffer): SealKey {
  const id = createHash("sha256").update("restic-manager key id\n").update(bytes).digest("hex").slice(0, 8);
  return { id, bytes };
}
