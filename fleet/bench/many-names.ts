import { linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { xorshift } from "./many-files.ts";

/** Different files: all names are links to one of these, so that a million of them need hardly any room. */
const CONTENTS = 2_000;
const LARGEST = 3_000;
/** Where the contents lie; one more folder of the tree. */
const POOL = ".pool";
const WORDS = ["invoice", "report", "index", "IMG", "backup", "notes", "module", "test", "summary", "draft"];
const ENDINGS = ["pdf", "ts", "jpeg", "txt", "log", "json", "eml"];
const SUBFOLDERS = ["src", "docs", "img", "test"];
const FILES_PER_FOLDER = 24;

/** A name that stands once in the whole tree. */
export const NEEDLE = "needle-in-a-haystack.txt";

export interface ManyNames {
  /** Folders and files, the root's own path not counted. */
  entries: number;
  /** Ordinary folders, some two dozen files in each. */
  folders: string[];
  /** One with a tenth of all entries. */
  big: string;
}

/** Writes a tree of about `count` names as a home folder has them: one large folder, and many small ones inside others. */
export function writeManyNames(folder: string, count: number): ManyNames {
  const next = xorshift(20_261_121);
  const pool = join(folder, POOL);
  mkdirSync(pool, { recursive: true });
  const contents = Math.min(CONTENTS, Math.ceil(count / 20));
  for (let n = 0; n < contents; n += 1) {
    const path = join(pool, `${n}`);
    writeFileSync(path, `${n}`.padEnd(next() % LARGEST, "."));
    const seconds = 1_600_000_000 + (next() % 190_000_000) + (next() % 1_000_000) / 1e6;
    utimesSync(path, seconds, seconds);
  }
  let entries = contents + 1;
  const add = (path: string): void => {
    linkSync(join(pool, `${next() % contents}`), path);
    entries += 1;
  };
  const into = (...parts: string[]): string => {
    const path = join(folder, ...parts);
    mkdirSync(path);
    entries += 1;
    return path;
  };
  const word = () => WORDS[next() % WORDS.length] ?? "";
  const name = (n: number) => `${word()}-${n.toString(36)}.${ENDINGS[next() % ENDINGS.length] ?? ""}`;

  const big = into("spool");
  for (let n = 0; n < count / 10; n += 1) add(join(big, name(n)));
  const folders: string[] = [];
  for (let project = 0; entries < count; project += 1) {
    into(`project-${project}`);
    for (const sub of SUBFOLDERS) {
      const path = into(`project-${project}`, sub);
      folders.push(path);
      for (let n = 0; n < FILES_PER_FOLDER; n += 1) add(join(path, name(n)));
    }
  }
  add(join(folders[Math.floor(folders.length / 2)] ?? folder, NEEDLE));
  return { entries, folders, big };
}
