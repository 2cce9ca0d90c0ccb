import type { JobId } from "@restic-manager/protocol/ids";
import { CHUNK_LINES, CHUNK_RAW_BYTES } from "@restic-manager/protocol/limits";
import { encodeLogLine, type LogStream } from "@restic-manager/protocol/log-lines";
import type { LogChunk } from "./outbox.ts";
import type { Cancel, Timers } from "./timers.ts";

/** A line waits at most so long before it is written and sent. */
const FLUSH_AFTER_MS = 250;

/** zstd at this level costs about 50 µs a chunk and leaves a tenth of the bytes (measured, recipes 8). */
const ZSTD_LEVEL = 3;

/** Gathers one job's log lines into numbered, compressed chunks. */
export class LogWriter {
  readonly #jobId: JobId;
  readonly #timers: Timers;
  readonly #write: (chunk: LogChunk) => void;
  #lines: Buffer[] = [];
  #bytes = 0;
  #firstLine: number;
  #timer: Cancel | undefined;

  /** `firstLine`: how many lines the job's log already has. `write` must not throw for want of room. */
  constructor(parts: { jobId: JobId; firstLine: number; timers: Timers; write: (chunk: LogChunk) => void }) {
    this.#jobId = parts.jobId;
    this.#firstLine = parts.firstLine;
    this.#timers = parts.timers;
    this.#write = parts.write;
  }

  line(stream: LogStream, text: string): void {
    const row = Buffer.from(encodeLogLine({ at: this.#timers.now(), stream, text }));
    if (this.#bytes + row.byteLength > CHUNK_RAW_BYTES) this.flush();
    this.#lines.push(row);
    this.#bytes += row.byteLength;
    if (this.#lines.length >= CHUNK_LINES) this.flush();
    else this.#timer ??= this.#timers.after(FLUSH_AFTER_MS, () => this.flush());
  }

  /** Writes what has gathered; called before the outcome, so that the log is whole when the job ends. */
  flush(): void {
    this.#timer?.();
    this.#timer = undefined;
    const count = this.#lines.length;
    if (count === 0) return;
    const raw = Buffer.concat(this.#lines, this.#bytes);
    const data = Bun.zstdCompressSync(raw, { level: ZSTD_LEVEL });
    const chunk = { jobId: this.#jobId, firstLine: this.#firstLine, count, rawSize: raw.byteLength, data };
    this.#firstLine += count;
    this.#lines = [];
    this.#bytes = 0;
    this.#write(chunk);
  }
}
