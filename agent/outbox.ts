import type { Database } from "bun:sqlite";
import { encodeLogChunk } from "@restic-manager/protocol/log-chunk";
import { Epoch, JobId } from "@restic-manager/protocol/ids";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { randomHex } from "./atomic-file.ts";
import { Meta } from "./meta.ts";

/** Bytes of log chunks that may wait for the server before the oldest give way. */
export const DEFAULT_LOG_LIMIT = 256 * 1024 * 1024;

/** One compressed piece of a job's log. */
export interface LogChunk {
  jobId: JobId;
  firstLine: number;
  count: number;
  rawSize: number;
  data: Uint8Array;
}

/** A frame as it travels, with its number and size. */
export interface OutboxFrame {
  seq: number;
  bytes: number;
  data: string | Uint8Array<ArrayBuffer>;
}

interface Row {
  seq: number;
  job_id: string | null;
  message: string | null;
  first_line: number | null;
  count: number | null;
  raw_size: number | null;
  chunk: Uint8Array | null;
}

/**
 * What must not be lost: every durable thing is written here first, sent second, and deleted when the server has
 * acknowledged it. Numbers rise by one without holes, also across restarts. Not its own transaction: the caller wraps
 * what belongs together.
 */
export class Outbox {
  readonly #db: Database;
  readonly #meta: Meta;
  readonly #logLimit: number;
  readonly #listeners = new Set<() => void>();
  #epoch: Epoch;
  #highest: number;
  #chunkBytes: number;

  constructor(db: Database, logLimit: number = DEFAULT_LOG_LIMIT) {
    this.#db = db;
    this.#meta = new Meta(db);
    this.#logLimit = logLimit;
    const known = this.#meta.get("epoch");
    if (known === undefined) {
      this.#epoch = mintEpoch();
      this.#highest = 0;
      db.transaction(() => this.#rememberEpoch(this.#epoch, 0))();
    } else {
      this.#epoch = Epoch.parse(known);
      this.#highest = Number(this.#meta.get("highest_seq") ?? 0);
    }
    this.#chunkBytes = this.#sumChunks();
  }

  get epoch(): Epoch {
    return this.#epoch;
  }

  /** Highest number ever given in this epoch; 0 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Lowest number still kept; `highest + 1` when nothing is. */
  get lowest(): number {
    const row = this.#db.query<{ seq: number | null }, []>("select min(seq) as seq from outbox").get();
    return row?.seq ?? this.#highest + 1;
  }

  /** Bytes of log chunks that wait. */
  get logBytes(): number {
    return this.#chunkBytes;
  }

  /** Calls `wake` whenever something new is committed; returns a function that ends it. */
  onCommitted(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }

  /** Says that what was appended is committed now and may be sent. Never inside a transaction. */
  committed(): void {
    for (const wake of this.#listeners) wake();
  }

  append(message: DurableMessage): number {
    const seq = this.#next();
    this.#db
      .query<null, [number, string | null, string]>(
        "insert into outbox (seq, job_id, message) values (?, ?, ?)",
      )
      .run(seq, "job_id" in message ? message.job_id : null, JSON.stringify(message));
    return seq;
  }

  appendLog(chunk: LogChunk): number {
    const seq = this.#next();
    this.#db
      .query<null, [number, string, number, number, number, Uint8Array]>(
        "insert into outbox (seq, job_id, first_line, count, raw_size, chunk) values (?, ?, ?, ?, ?, ?)",
      )
      .run(seq, chunk.jobId, chunk.firstLine, chunk.count, chunk.rawSize, chunk.data);
    this.#chunkBytes += chunk.data.byteLength;
    if (this.#chunkBytes > this.#logLimit) this.giveWay(this.#chunkBytes - this.#logLimit);
    return seq;
  }

  /** Up to `frames` frames and about `bytes` bytes, from number `from` on; at least one if there is one. */
  read(from: number, frames: number, bytes: number): OutboxFrame[] {
    const found: OutboxFrame[] = [];
    let size = 0;
    const rows = this.#db.query<Row, [number, number]>(
      "select * from outbox where seq >= ? order by seq limit ?",
    );
    for (const row of rows.iterate(from, frames)) {
      const frame = toFrame(row);
      if (found.length > 0 && size + frame.bytes > bytes) break;
      found.push(frame);
      size += frame.bytes;
    }
    return found;
  }

  /** Forgets everything up to `seq`: the server has it. */
  acknowledge(seq: number): void {
    const row = this.#db
      .query<{ bytes: number | null }, [number]>(
        "select sum(length(chunk)) as bytes from outbox where seq <= ? and chunk is not null",
      )
      .get(seq);
    this.#db.query<null, [number]>("delete from outbox where seq <= ?").run(seq);
    this.#chunkBytes -= row?.bytes ?? 0;
  }

  /**
   * Turns the oldest log chunks into marks of what is missing until `bytes` are freed. Each keeps its number, so the
   * sequence has no hole. Returns the bytes freed.
   */
  giveWay(bytes: number): number {
    const oldest = this.#db.query<Row, []>(
      "select * from outbox where chunk is not null order by seq limit 64",
    );
    let freed = 0;
    while (freed < bytes) {
      const rows = oldest.all();
      if (rows.length === 0) break;
      for (const row of rows) {
        if (freed >= bytes) break;
        freed += this.#markMissing(row);
      }
    }
    return freed;
  }

  /** Starts a new life of the numbering, with what waits numbered anew from 1. */
  beginEpoch(): void {
    const epoch = mintEpoch();
    const before = this.lowest - 1;
    const highest = this.#highest - before;
    this.#db.transaction(() => {
      // Two steps, because renumbering in place would meet numbers that are still taken.
      this.#db.run("update outbox set seq = -seq");
      this.#db.query<null, [number]>("update outbox set seq = -seq - ?").run(before);
      this.#rememberEpoch(epoch, highest);
    })();
    // Not before the file says so: on a full disk it stays with the old one.
    this.#epoch = epoch;
    this.#highest = highest;
  }

  /** After a transaction was rolled back, memory must follow the file again. */
  reload(): void {
    this.#highest = Number(this.#meta.get("highest_seq") ?? 0);
    this.#chunkBytes = this.#sumChunks();
  }

  #markMissing(row: Row): number {
    if (row.chunk === null || row.job_id === null || row.first_line === null || row.count === null) return 0;
    const gap: DurableMessage = {
      type: "log.gap",
      job_id: JobId.parse(row.job_id),
      first_line: row.first_line,
      count: row.count,
    };
    this.#db
      .query<null, [string, number]>(
        "update outbox set message = ?, chunk = null, first_line = null, count = null, raw_size = null where seq = ?",
      )
      .run(JSON.stringify(gap), row.seq);
    this.#chunkBytes -= row.chunk.byteLength;
    return row.chunk.byteLength;
  }

  #next(): number {
    this.#highest += 1;
    this.#meta.set("highest_seq", String(this.#highest));
    return this.#highest;
  }

  #rememberEpoch(epoch: Epoch, highest: number): void {
    this.#meta.set("epoch", epoch);
    this.#meta.set("highest_seq", String(highest));
  }

  #sumChunks(): number {
    const row = this.#db
      .query<{ bytes: number | null }, []>(
        "select sum(length(chunk)) as bytes from outbox where chunk is not null",
      )
      .get();
    return row?.bytes ?? 0;
  }
}

function mintEpoch(): Epoch {
  return Epoch.parse(randomHex(16));
}

function toFrame(row: Row): OutboxFrame {
  if (row.message !== null) {
    const data = `{"type":"durable","seq":${row.seq},"message":${row.message}}`;
    return { seq: row.seq, bytes: Buffer.byteLength(data), data };
  }
  const header = {
    seq: row.seq,
    job_id: JobId.parse(row.job_id),
    first_line: row.first_line ?? 0,
    count: row.count ?? 0,
    raw_size: row.raw_size ?? 0,
  };
  const data = encodeLogChunk(header, row.chunk ?? new Uint8Array());
  return { seq: row.seq, bytes: data.byteLength, data };
}
