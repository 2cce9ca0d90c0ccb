import { chmodSync, closeSync, existsSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MARKER_FLAG } from "./marker.ts";

/** One start of a restic. */
export interface ResticStart {
  pid: number;
  args: string;
  /** Which order it works on; undefined for everything that is no backup of ours. */
  marker: number | undefined;
}

/** Reads what a host's restic wrote of its starts, from where it stopped last. */
export class ResticRuns {
  readonly starts: ResticStart[] = [];
  readonly #file: string;
  readonly #parse: (line: string) => { pid: number; args: string } | undefined;
  #read = 0;
  #rest = "";

  constructor(file: string, parse: (line: string) => { pid: number; args: string } | undefined) {
    this.#file = file;
    this.#parse = parse;
  }

  look(): readonly ResticStart[] {
    if (!existsSync(this.#file)) return this.starts;
    const file = openSync(this.#file, "r");
    try {
      const block = Buffer.alloc(64 * 1024);
      for (;;) {
        const count = readSync(file, block, 0, block.length, this.#read);
        if (count === 0) break;
        this.#read += count;
        this.#take(block.toString("utf8", 0, count));
      }
    } finally {
      closeSync(file);
    }
    return this.starts;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const start = this.#parse(line);
      if (start === undefined) continue;
      const marker = MARKER_FLAG.exec(start.args)?.[1];
      const isBackup = start.args.startsWith("backup ");
      this.starts.push({ ...start, marker: isBackup && marker !== undefined ? Number(marker) : undefined });
    }
  }
}

/** The scripted restic writes JSON lines. */
export function scriptedRuns(dir: string): ResticRuns {
  return new ResticRuns(join(dir, "runs.log"), (line) => {
    const run = JSON.parse(line) as { event: string; pid: number; argv?: string[] };
    return run.event === "start" ? { pid: run.pid, args: (run.argv ?? []).join(" ") } : undefined;
  });
}

/** Puts a program into `dir` that writes down its start and becomes the real restic, with the same pid. */
export function recordedRestic(dir: string, restic: string): { path: string; runs: ResticRuns } {
  const path = join(dir, "restic");
  const log = join(dir, "runs.tsv");
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s\\t%s\\n' "$$" "$*" >>${quoted(log)}\nexec ${quoted(restic)} "$@"\n`,
  );
  chmodSync(path, 0o755);
  const runs = new ResticRuns(log, (line) => {
    const [pid, args = ""] = line.split("\t", 2);
    return { pid: Number(pid), args };
  });
  return { path, runs };
}
