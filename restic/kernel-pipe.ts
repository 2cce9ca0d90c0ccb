import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Timers } from "./timers.ts";

/** From <fcntl.h> on Linux: the descriptors are for this process alone, save where a child is given one. */
const O_CLOEXEC = 0o2000000;
/** From <fcntl.h> on Linux. */
const F_SETPIPE_SZ = 1031;
/**
 * What everybody may give a pipe, see pipe(7); a new one has 64 KiB. restic fills that in 1.5 ms, and whoever puts what came into an index is
 * away for 20 ms now and then.
 */
const PIPE_BYTES = 1024 * 1024;
/** What is taken at a time. */
const PIECE_BYTES = 256 * 1024;
/** Not worth being woken for, of a stream that holds some 64 KiB. */
const SMALL_BYTES = 32 * 1024;
/** In this time restic writes 100 KiB. */
const WAIT_MS = 2;
/** How rarely a pipe is looked at that has long been empty. */
const LONGEST_WAIT_MS = 16;

/** Where bytes come from, as from a stream's reader. A piece is only good until the next is asked for. */
export type ByteReader = {
  read(): Promise<{ done: false; value: Uint8Array } | { done: true; value?: Uint8Array | undefined }>;
  /** Reads no more and lets go; `read` then answers that it is done. */
  cancel(): Promise<void>;
};

export type KernelPipe = { readFd: number; writeFd: number };

/**
 * A pipe of the kernel, for a child that writes a million lines one by one: what Bun gives to children is a pair of sockets, where each
 * small write costs 2 µs more. Undefined where there is none to be had (not Linux, no C library of that name).
 */
export async function openKernelPipe(): Promise<KernelPipe | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const { dlopen, ptr } = await import("bun:ffi");
    const libc = dlopen("libc.so.6", {
      pipe2: { args: ["ptr", "i32"], returns: "i32" },
      fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
    });
    const ends = new Int32Array(2);
    const done = libc.symbols.pipe2(ptr(ends), O_CLOEXEC);
    const [readFd, writeFd] = ends;
    // Where that is not allowed the pipe is good all the same.
    if (done === 0 && writeFd !== undefined) libc.symbols.fcntl(writeFd, F_SETPIPE_SZ, PIPE_BYTES);
    libc.close();
    if (done !== 0 || readFd === undefined || writeFd === undefined) return undefined;
    return { readFd: neverBlocking(readFd, writeFd), writeFd };
  } catch {
    return undefined;
  }
}

/** The same end of the pipe, opened anew: only ours must not block. */
function neverBlocking(readFd: number, writeFd: number): number {
  try {
    return openSync(`/proc/self/fd/${readFd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    closeSync(writeFd);
    throw error;
  } finally {
    closeSync(readFd);
  }
}

/**
 * Looks into the pipe again and again instead of being woken by each line: with pauses of two milliseconds while something comes, longer
 * ones while nothing does.
 */
export function gatheringReader(readFd: number, timers: Timers): ByteReader {
  const buffer = new Uint8Array(PIECE_BYTES);
  let wait = WAIT_MS;
  let open = true;
  let wake = (): void => {};
  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const callOff = timers.after(wait, resolve);
      wake = () => {
        callOff();
        resolve();
      };
    });
  const close = (): void => {
    if (!open) return;
    open = false;
    closeSync(readFd);
    wake();
  };
  return {
    async read() {
      while (open) {
        await pause();
        if (!open) break;
        const bytes = readNow(readFd, buffer);
        if (bytes === 0) break;
        wait = bytes === undefined ? Math.min(wait * 2, LONGEST_WAIT_MS) : WAIT_MS;
        if (bytes !== undefined) return { done: false, value: buffer.subarray(0, bytes) };
      }
      close();
      return { done: true };
    },
    async cancel() {
      close();
    },
  };
}

/** Where there is no such pipe: waits after each small piece of a stream, so that the next holds more than a line. */
export function pausingReader(reader: ByteReader, timers: Timers): ByteReader {
  let small = false;
  return {
    async read() {
      if (small) await new Promise<void>((resolve) => void timers.after(WAIT_MS, resolve));
      const piece = await reader.read();
      small = !piece.done && piece.value.byteLength < SMALL_BYTES;
      return piece;
    },
    cancel: () => reader.cancel(),
  };
}

/** Undefined when there is nothing yet, 0 at the end. */
function readNow(fd: number, buffer: Uint8Array): number | undefined {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
    throw error;
  }
}
