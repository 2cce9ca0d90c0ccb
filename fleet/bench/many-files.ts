import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** As many in a folder as a mail or cache folder has. */
const FILES_PER_FOLDER = 500;
const SMALLEST = 256;
const LARGEST = 2_048;

/**
 * Writes `count` small files of 256 to 2,048 bytes, the same ones on every machine. Their bytes do not compress, and no two files
 * are alike.
 */
export function writeManyFiles(folder: string, count: number): void {
  const next = xorshift(20_261_121);
  const bytes = new Uint32Array(LARGEST / 4);
  for (let at = 0; at < count; at++) {
    const into = join(folder, `folder-${Math.floor(at / FILES_PER_FOLDER)}`);
    if (at % FILES_PER_FOLDER === 0) mkdirSync(into, { recursive: true });
    const size = SMALLEST + (next() % (LARGEST - SMALLEST));
    for (let word = 0; word < Math.ceil(size / 4); word++) bytes[word] = next();
    writeFileSync(join(into, `file-${at}.bin`), new Uint8Array(bytes.buffer, 0, size));
  }
}

/** George Marsaglia's xorshift32: fast, and the same everywhere. */
export function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
