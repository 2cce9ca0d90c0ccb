import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Compilers that can make a shared library from one file, best first. */
const COMPILERS = ["cc", "gcc", "clang", "tcc"];

/** Makes the library that moves a program's clock and slows its fsync. Answers its path, or why there is none. */
export function compileShim(folder: string): { path: string } | { why: string } {
  const compiler = COMPILERS.map((name) => Bun.which(name)).find((path) => path !== null);
  if (compiler === undefined) return { why: `no C compiler (${COMPILERS.join(", ")}) is installed` };
  if (process.platform !== "linux") return { why: "it is made for Linux" };
  const path = join(folder, "shim.so");
  const argv = [compiler, "-shared", "-fPIC", "-nostdlib", "-o", path, join(import.meta.dirname, "shim.c")];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  return exitCode === 0 ? { path } : { why: `${compiler} could not make it: ${stderr.toString().trim()}` };
}

/** The clock and the disk of one program, as far as it can see. */
export class Distortion {
  /** What the program's environment must hold. */
  readonly env: Record<string, string>;
  readonly #file: string;
  readonly #homeMs: number;
  #offsetMs: number;
  #fsyncMs = 0;

  /** @param begin what its wall clock says at first, in milliseconds since 1970. */
  constructor(shim: string, file: string, begin: number) {
    this.#file = file;
    this.#homeMs = begin - Date.now();
    this.#offsetMs = this.#homeMs;
    this.env = { LD_PRELOAD: shim, RM_CHAOS_CONTROL: file };
    writeFileSync(file, this.#bytes());
  }

  /** What its clock would say if nobody had moved it since the beginning. */
  get home(): number {
    return Date.now() + this.#homeMs;
  }

  /** What the program's clock says now, in milliseconds since 1970. */
  get now(): number {
    return Date.now() + this.#offsetMs;
  }

  /** @param to what it shall say now. */
  moveClock(to: number): void {
    this.#offsetMs = to - Date.now();
    this.#write();
  }

  slowFsync(ms: number): void {
    this.#fsyncMs = ms;
    this.#write();
  }

  #bytes(): Uint8Array {
    return new Uint8Array(BigInt64Array.of(BigInt(Math.trunc(this.#offsetMs)), BigInt(this.#fsyncMs)).buffer);
  }

  /** In place: programs have the file mapped. */
  #write(): void {
    const file = openSync(this.#file, "r+");
    try {
      writeSync(file, this.#bytes(), 0, 16, 0);
    } finally {
      closeSync(file);
    }
  }
}
