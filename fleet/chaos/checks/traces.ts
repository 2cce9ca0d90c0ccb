import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Secrets } from "../secrets.ts";

/** A file that is still written to, or too large to be one of ours, is read by pieces that overlap by the longest form. */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Looks into every file below `folder` for every secret. */
export function checkFiles(folder: string, secrets: Secrets): string[] {
  const wrong: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // What only takes up room on a full disk.
    if (entry.name === "filler") continue;
    let bytes: Uint8Array;
    try {
      if (statSync(path).size > PIECE_BYTES * 8) wrong.push(`${path} is too large to be searched`);
      bytes = readFileSync(path);
    } catch {
      continue; // It has gone meanwhile.
    }
    for (const name of secrets.in(bytes, path)) wrong.push(`${name} stands in ${path}`);
  }
  return wrong;
}

/** Looks at what every process on this machine shows to every other: its command line. */
export function checkCommandLines(secrets: Secrets): string[] {
  const wrong: string[] = [];
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`);
      for (const name of secrets.in(line, `/proc/${pid}/cmdline`))
        wrong.push(
          `${name} stands in the command line of process ${pid}: ${line.toString("latin1").slice(0, 40)}…`,
        );
    } catch {
      // It has ended meanwhile.
    }
  }
  return wrong;
}
