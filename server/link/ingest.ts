import type { Durable } from "@restic-manager/protocol/frame";
import type { Epoch, HostId } from "@restic-manager/protocol/ids";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { turn } from "../platform/turn.ts";
import type { Connection } from "./connection.ts";
import { advance, keepRejected, type Move } from "./store.ts";
import { nothingTouched, type Touched } from "./touched.ts";

/** Most frames committed together. Group commit: one fsync for many agents (measured: 64 rows 77,000/s, one row 2,800/s). */
const BATCH_FRAMES = 512;
/**
 * Bytes that may wait for the store, of all agents together. Each agent's window is 4 MiB, so a thousand of them would fill
 * 4 GiB behind a store that is stuck; whoever comes on top of this is closed and keeps its frames.
 */
const MOST_WAITING_BYTES = 128 * 1024 * 1024;
/** How long to wait before a store that refused to commit is tried again. */
const RETRY_MS = 1_000;

/** A durable frame on its way into the store. `unreadable` ones are kept aside, or they would come again for ever. */
export type Arrived =
  | { type: "durable"; connection: Connection; seq: number; bytes: number; durable: Durable }
  | { type: "unreadable"; connection: Connection; seq: number; bytes: number; reason: string; body: string };

type Message = Extract<Durable, { type: "message" }>;
type Log = Extract<Durable, { type: "log" }>;

/** Applies one durable message inside the batch's transaction. Throws only when the store does. */
export type ApplyMessage = (
  trx: Trx,
  /** `now`: the server's clock; an agent's own may be wrong. */
  from: { hostId: HostId; epoch: Epoch; now: number },
  durable: Message,
  touched: Touched,
) => Promise<void>;

/** Keeps log chunks of many hosts inside the batch's transaction: a host's in their order. Throws only when the store does. */
export type ApplyLogs = (
  trx: Trx,
  logs: { hostId: HostId; header: Log["header"]; chunk: Uint8Array }[],
  touched: Touched,
) => Promise<void>;

export interface IngestParts {
  db: Database;
  clock: Clock;
  /** This server: frames of a connection count only while the store says that it is the host's one. */
  node: string;
  apply: ApplyMessage;
  applyLogs: ApplyLogs;
  /** Runs at the end of each batch's transaction, for what is derived from it. */
  settle: (trx: Trx, touched: Touched) => Promise<void>;
  isCurrent: (connection: Connection) => boolean;
  /** After the commit and before the acknowledgements. */
  committed: (touched: Touched, connections: Connection[]) => void;
  /** True when the store itself is the trouble (full disk, no connection): wait and try the same again. */
  isStoreTrouble: (error: unknown) => boolean;
  /** Says that the store refuses to commit, and with `undefined` that it does again. */
  trouble: (error: unknown) => void;
  onError: (error: unknown, doing: string) => void;
  /** Waited for before each batch, for frames to gather; a turn of the event loop unless told. */
  gather?: () => Promise<void>;
  /** For tests; `MOST_WAITING_BYTES` unless told. */
  mostWaitingBytes?: number;
}

/** A connection's frames that this batch commits. */
interface Taken extends Move {
  frames: Arrived[];
}

/** This connection's frames do not follow what is committed: another writer moved the number, or one before them failed. */
class Overtaken extends Error {}

/**
 * Commits durable frames in batches and acknowledges what is committed. One batch at a time; what arrives meanwhile waits, and the
 * window of each agent bounds how much that can be.
 */
export class Ingest {
  readonly #parts: IngestParts;
  #queue: Arrived[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;
  #waitingBytes = 0;

  constructor(parts: IngestParts) {
    this.#parts = parts;
  }

  /** Takes a frame that follows the last one taken of its connection. */
  take(frame: Arrived): void {
    frame.connection.waiting += 1;
    this.#waitingBytes += frame.bytes;
    this.#queue.push(frame);
    this.#running ??= this.#drain();
  }

  /** True while so much waits for the store that nothing more may be taken. */
  get full(): boolean {
    return this.#waitingBytes >= (this.#parts.mostWaitingBytes ?? MOST_WAITING_BYTES);
  }

  /** Resolves when everything taken so far is committed or given up. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Stops trying: what is not committed is not acknowledged, so it comes again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.settled();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#queue.length > 0 && !this.#stopped) {
        // Each frame arrives as a task of its own, after which all microtasks run, and a commit on SQLite is nothing else: only after
        // a turn are frames that arrived together committed together, and only so do pages get theirs between two batches.
        await (this.#parts.gather ?? turn)();
        const batch = this.#queue.splice(0, BATCH_FRAMES);
        await this.#commitAll(batch);
        this.#release(batch);
      }
      if (this.#stopped) this.#release(this.#queue.splice(0));
    } finally {
      this.#running = undefined;
    }
  }

  #release(frames: Arrived[]): void {
    for (const frame of frames) {
      frame.connection.waiting -= 1;
      this.#waitingBytes -= frame.bytes;
    }
  }

  /** Never throws: what cannot be committed is not acknowledged, and its connection starts over. */
  async #commitAll(batch: Arrived[]): Promise<void> {
    for (;;) {
      try {
        await this.#commit(batch);
        this.#parts.trouble(undefined);
        return;
      } catch (error) {
        if (this.#stopped) return;
        if (error instanceof Overtaken) return await this.#apart(batch, error);
        if (this.#parts.isStoreTrouble(error)) {
          this.#parts.trouble(error);
          await this.#pause();
          if (this.#stopped) return;
          continue;
        }
        return await this.#apart(batch, error);
      }
    }
  }

  /** One frame spoils the batch: each host by itself, then each frame, until only the bad one is kept aside. */
  async #apart(batch: Arrived[], error: unknown): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    if (batch.length === 1) {
      if (error instanceof Overtaken) return first.connection.close("gap");
      if (first.type === "unreadable") {
        this.#parts.onError(error, "keep a frame that cannot be applied");
        return first.connection.close("store");
      }
      const reason = error instanceof Error ? error.message : "unknown error";
      return await this.#commitAll([{ ...unreadable(first, reason) }]);
    }
    const byHost = Map.groupBy(batch, (frame) => frame.connection);
    const parts = byHost.size > 1 ? [...byHost.values()] : batch.map((frame) => [frame]);
    for (const part of parts) await this.#commitAll(part);
  }

  async #commit(batch: Arrived[]): Promise<void> {
    const { db, isCurrent, settle, committed } = this.#parts;
    const { touched, reached } = await db.transaction().execute(async (trx) => {
      // Inside the transaction: a hello that came before it has made its connection the newest, so a batch of the older one
      // either committed before that hello looked at `last_seq` or is ignored here.
      const live = batch.filter((frame) => isCurrent(frame.connection));
      const byConnection = Map.groupBy(live, (frame) => frame.connection);
      // Fresh for each attempt: a transaction that was rolled back has touched nothing.
      const touchedNow = nothingTouched();
      const reachedNow = new Map<Connection, number>();
      const taken: Taken[] = [];
      for (const [connection, frames] of inOneOrder(byConnection)) {
        const fresh = this.#fresh(connection, frames);
        if (fresh === undefined) continue;
        taken.push(fresh);
        reachedNow.set(connection, fresh.to);
      }
      // First, because on PostgreSQL this is what holds off another writer of the same hosts.
      if (!(await advance(trx, taken))) throw new Overtaken();
      await this.#apply(trx, taken, touchedNow);
      await settle(trx, touchedNow);
      return { touched: touchedNow, reached: reachedNow };
    });
    for (const [connection, to] of reached) {
      if (connection.greeted !== undefined) connection.greeted.committed = to;
    }
    committed(touched, [...reached.keys()]);
    for (const [connection, to] of reached) connection.send({ type: "ack", seq: to });
  }

  /** A connection's frames that were not committed before. */
  #fresh(connection: Connection, frames: Arrived[]): Taken | undefined {
    const { greeted, hostId } = connection;
    if (greeted === undefined) return undefined;
    const from = greeted.committed;
    const fresh = frames.filter((frame) => frame.seq > from);
    const last = fresh.at(-1);
    if (last === undefined) return undefined;
    // After a frame that could be neither applied nor kept, nothing may take its place.
    if (fresh[0]?.seq !== from + 1) throw new Overtaken();
    const { epoch } = greeted;
    const holder = { node: this.#parts.node, connection: connection.number };
    return { hostId, epoch, holder, frames: fresh, from, to: last.seq };
  }

  /**
   * Applies each host's frames in their order. Logs are most of what comes, so those of all hosts are kept together: in turns, each
   * of which takes a host's messages up to its next log, and then its logs up to its next message.
   */
  async #apply(trx: Trx, taken: Taken[], touched: Touched): Promise<void> {
    const { apply, applyLogs, clock } = this.#parts;
    const now = clock.now();
    let rest = taken.map((one) => ({ ...one, at: 0 }));
    while (rest.length > 0) {
      const logs: Parameters<ApplyLogs>[1] = [];
      for (const turn of rest) {
        const { hostId, epoch, frames } = turn;
        for (; turn.at < frames.length; turn.at += 1) {
          const frame = frames[turn.at];
          if (frame === undefined || logOf(frame) !== undefined) break;
          if (frame.type === "unreadable") {
            const { seq, reason, body } = frame;
            await keepRejected(trx, { hostId, epoch, seq, at: now, reason, body });
          } else if (frame.durable.type === "message")
            await apply(trx, { hostId, epoch, now }, frame.durable, touched);
        }
        for (; turn.at < frames.length; turn.at += 1) {
          const log = logOf(frames[turn.at]);
          if (log === undefined) break;
          logs.push({ hostId, header: log.header, chunk: log.chunk });
        }
      }
      if (logs.length > 0) await applyLogs(trx, logs, touched);
      rest = rest.filter(({ at, frames }) => at < frames.length);
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.clock.after(RETRY_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** Two servers that write the same hosts at once must lock them in the same order, or each would wait for the other. */
function inOneOrder(byConnection: Map<Connection, Arrived[]>): [Connection, Arrived[]][] {
  return [...byConnection].toSorted(([a], [b]) => (a.hostId < b.hostId ? -1 : 1));
}

function unreadable(frame: Extract<Arrived, { type: "durable" }>, reason: string): Arrived {
  const { connection, seq, bytes, durable } = frame;
  return { type: "unreadable", connection, seq, bytes, reason, body: bodyOf(durable) };
}

function logOf(frame: Arrived | undefined): Log | undefined {
  return frame?.type === "durable" && frame.durable.type === "log" ? frame.durable : undefined;
}

/** JSON that is nested deeply enough can be read but not written. */
function bodyOf(durable: Durable): string {
  try {
    return JSON.stringify(durable.type === "message" ? durable.message : durable.header);
  } catch {
    return `(${durable.type === "message" ? durable.message.type : "log"}, cannot be written as JSON)`;
  }
}
