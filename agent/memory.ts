import { readFileSync } from "node:fs";

/** From <sys/mman.h>: the pages of this range are not needed; what is needed again is read from the file again. */
const MADV_DONTNEED = 4;

/** A part of this process's own program, code or data that is only read, that lies in memory and nobody has changed there. */
interface CodeRange {
  start: bigint;
  bytes: bigint;
}

/**
 * Gives back the memory that only the past needed: what the garbage collector finds, and the machine code that ran once. Of the
 * runtime's 80 MB of code a start touches 30 MB and an idle agent 8; the kernel would keep the rest as memory in use, since it was
 * executed. Unchanged code lies in the program's file, so that a page that is wanted after all comes back by itself.
 *
 * Costs some 10 ms; call it when a start or a job is over. Where it cannot be done (not Linux, no FFI) only the collector runs.
 */
export async function giveBackMemory(): Promise<void> {
  Bun.gc(true);
  if (process.platform !== "linux") return;
  try {
    const ranges = codeRanges(readFileSync("/proc/self/smaps", "latin1"), process.execPath);
    const { dlopen } = await import("bun:ffi");
    const libc = dlopen("libc.so.6", { madvise: { args: ["u64", "u64", "i32"], returns: "i32" } });
    for (const { start, bytes } of ranges) libc.symbols.madvise(start, bytes, MADV_DONTNEED);
    libc.close();
  } catch {
    // It is a courtesy to the machine; the agent works without.
  }
}

/**
 * The executable and read-only parts (calendars, tables of characters) of `program` in the text of /proc/PID/smaps. One of which a page was changed in memory (a debugger's
 * breakpoint) is left out: giving it back would undo the change.
 */
export function codeRanges(smaps: string, program: string): CodeRange[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((mapping) => {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \d+ +(.+)$/m.exec(mapping) ?? [];
    if (from === undefined || to === undefined || path !== program) return [];
    if (!/^Anonymous: +0 kB$/m.test(mapping)) return [];
    const start = BigInt(`0x${from}`);
    return [{ start, bytes: BigInt(`0x${to}`) - start }];
  });
}
