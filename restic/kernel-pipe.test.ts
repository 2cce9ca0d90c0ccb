import { afterEach, expect, test } from "bun:test";
import { closeSync, readdirSync, writeSync } from "node:fs";
import { gatheringReader, openKernelPipe, pausingReader, type KernelPipe } from "./kernel-pipe.ts";
import { systemTimers, type Timers } from "./timers.ts";

const WHOLE = 1024 * 1024;
const descriptors = () => readdirSync("/proc/self/fd").length;

/** Timers that fire when they are told to. */
function byHand(): Timers & { fire: () => void; wait: number } {
  let action = (): void => {};
  const timers = {
    wait: 0,
    now: () => 0,
    after(ms: number, next: () => void) {
      timers.wait = ms;
      action = next;
      return () => void (action = () => {});
    },
    fire: () => action(),
  };
  return timers;
}

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) closeSync(fd);
});
async function piped(): Promise<KernelPipe> {
  const pipe = await openKernelPipe();
  if (pipe === undefined) throw new Error("no pipe");
  return pipe;
}

test("what is written comes in order, in large pieces, to its end", async () => {
  const before = descriptors();
  const { readFd, writeFd } = await piped();
  const written = Buffer.alloc(WHOLE, "0123456789\n");
  // All of it has room: whoever writes is not kept waiting.
  expect(writeSync(writeFd, written)).toBe(WHOLE);
  closeSync(writeFd);
  const reader = gatheringReader(readFd, systemTimers);
  const pieces: Buffer[] = [];
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    pieces.push(Buffer.from(piece.value));
  expect(Buffer.concat(pieces).equals(written)).toBe(true);
  expect(pieces.length).toBeLessThan(10);
  expect(await reader.read()).toMatchObject({ done: true });
  await reader.cancel();
  expect(descriptors()).toBe(before);
});

test("an empty pipe is looked at more and more rarely, and often again when something came", async () => {
  const { readFd, writeFd } = await piped();
  open.push(writeFd);
  const timers = byHand();
  const reader = gatheringReader(readFd, timers);
  const piece = reader.read();
  const waits: number[] = [];
  for (let n = 0; n < 6; n++) {
    waits.push(timers.wait);
    timers.fire();
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(waits).toEqual([2, 4, 8, 16, 16, 16]);
  writeSync(writeFd, "a line\n");
  timers.fire();
  expect(Buffer.from((await piece).value ?? []).toString()).toBe("a line\n");
  void reader.read();
  expect(timers.wait).toBe(2);
  await reader.cancel();
});

test("giving up ends a read that waits and lets go of the pipe", async () => {
  const before = descriptors();
  const { readFd, writeFd } = await piped();
  const reader = gatheringReader(readFd, byHand());
  const piece = reader.read();
  await reader.cancel();
  expect(await piece).toMatchObject({ done: true });
  closeSync(writeFd);
  expect(descriptors()).toBe(before);
});

test("of a stream instead of a pipe, the next is waited for after a small piece and not after a large one", async () => {
  const pieces = [new Uint8Array(5), new Uint8Array(40_000), new Uint8Array(7)];
  const stream = new ReadableStream<Uint8Array>({
    pull: (out) => {
      const next = pieces.shift();
      if (next === undefined) out.close();
      else out.enqueue(next);
    },
  });
  const timers = byHand();
  const reader = pausingReader(stream.getReader(), timers);
  expect((await reader.read()).value?.byteLength).toBe(5);
  const large = reader.read();
  expect(timers.wait).toBe(2);
  timers.fire();
  expect((await large).value?.byteLength).toBe(40_000);
  expect((await reader.read()).value?.byteLength).toBe(7);
  const end = reader.read();
  timers.fire();
  expect(await end).toMatchObject({ done: true });
});
