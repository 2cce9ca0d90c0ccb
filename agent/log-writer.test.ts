import { expect, test } from "bun:test";
import fc from "fast-check";
import { CHUNK_LINES, CHUNK_RAW_BYTES } from "@restic-manager/protocol/limits";
import { decodeLogLines } from "@restic-manager/protocol/log-lines";
import { LogWriter } from "./log-writer.ts";
import type { LogChunk } from "./outbox.ts";
import { jobId } from "./testing/journal.ts";
import { manualTimers } from "./testing/timers.ts";

function writer(firstLine = 0) {
  const chunks: LogChunk[] = [];
  const timers = manualTimers();
  const log = new LogWriter({ jobId: jobId(1), firstLine, timers, write: (chunk) => chunks.push(chunk) });
  return { chunks, timers, log };
}

const textOf = (chunk: LogChunk) => Buffer.from(Bun.zstdDecompressSync(chunk.data)).toString("utf8");

test("a line waits for others at most 250 ms", () => {
  const { chunks, timers, log } = writer();
  log.line("stdout", "one");
  timers.advance(249);
  expect(chunks).toHaveLength(0);
  timers.advance(1);
  expect(chunks).toMatchObject([{ firstLine: 0, count: 1 }]);
  log.flush();
  expect(chunks).toHaveLength(1);
});

test("numbering goes on where an earlier chunk ended", () => {
  const { chunks, log } = writer(40);
  log.line("stdout", "a");
  log.flush();
  log.line("stdout", "b");
  log.flush();
  expect(chunks.map((chunk) => chunk.firstLine)).toEqual([40, 41]);
});

test("any lines come out whole, in order, in chunks that fit the wire", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.integer({ min: 0, max: 9_000 }).map((n) => "ä".repeat(n)),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 700 }), (lines) => {
      const { chunks, log } = writer();
      for (const line of lines) log.line("stderr", line);
      log.flush();
      let next = 0;
      for (const chunk of chunks) {
        expect(chunk.firstLine).toBe(next);
        expect(chunk.count).toBeLessThanOrEqual(CHUNK_LINES);
        expect(chunk.rawSize).toBeLessThanOrEqual(CHUNK_RAW_BYTES);
        expect(decodeLogLines(textOf(chunk))).toHaveLength(chunk.count);
        next += chunk.count;
      }
      expect(next).toBe(lines.length);
    }),
    { numRuns: 60 },
  );
});
