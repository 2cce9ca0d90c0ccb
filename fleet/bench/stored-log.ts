import { zstdCompressSync } from "node:zlib";
import { encodeLogLine } from "@restic-manager/protocol/log-lines";
import { CHUNK_LINES } from "@restic-manager/protocol/limits";

/** A chunk as an agent makes one. */
export interface MadeChunk {
  first_line: number;
  count: number;
  raw_size: number;
  data: Uint8Array;
}

const FOLDERS = ["etc", "srv/shop/images", "var/lib/postgresql/15/main/base", "home/ada/projects"] as const;

/**
 * The log of a backup as restic's verbose output makes one: a path in each line, hardly two alike.
 *
 * @param seed another one gives other paths. @param at when the first line was written, milliseconds since 1970.
 */
export function madeLog(lines: number, seed: number, at: number): MadeChunk[] {
  const chunks: MadeChunk[] = [];
  for (let first = 0; first < lines; first += CHUNK_LINES) {
    const count = Math.min(CHUNK_LINES, lines - first);
    const raw = Array.from({ length: count }, (_, n) => lineOf(first + n, seed, at)).join("");
    chunks.push({ first_line: first, count, raw_size: Buffer.byteLength(raw), data: zstdCompressSync(raw) });
  }
  return chunks;
}

function lineOf(n: number, seed: number, at: number): string {
  const mixed = Math.imul(n + 1, 2_654_435_761 + seed) >>> 0;
  const folder = FOLDERS[mixed % FOLDERS.length] ?? "etc";
  const size = (mixed % 90_000) / 100;
  const text = `new       /${folder}/${mixed.toString(36)}/${(mixed >>> 7).toString(16)}.dat, saved in 0.0${n % 10}s (${size} KiB added)`;
  return encodeLogLine({ at: at + n * 40, stream: n % 60 === 59 ? "stderr" : "stdout", text });
}
