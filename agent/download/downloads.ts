import {
  DOWNLOAD_BYTES,
  DOWNLOAD_CHUNK,
  DOWNLOAD_STALL_MS,
  encodeDownloadChunk,
  type DownloadEnd,
  type DownloadFailureCode,
  type DownloadOrder,
} from "@restic-manager/protocol/download";
import { dump } from "@restic-manager/restic/commands/dump";
import type { ResticContext } from "@restic-manager/restic/context";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { Timers } from "../timers.ts";

/** At a time; each is a restic with its memory. */
const MOST = 2;

export interface DownloadParts {
  restic: () => { ok: true; context: ResticContext } | { ok: false; error: JobError };
  timers: Pick<Timers, "after">;
  /** Sends a frame; false when there is no connection, and then it is over. */
  send: (frame: Uint8Array<ArrayBuffer>) => boolean;
  say: (end: DownloadEnd) => void;
  /** For tests; `DOWNLOAD_BYTES` unless told. */
  mostBytes?: number;
}

/** Why a download was ended by us. */
class Stopped extends Error {
  readonly code: DownloadFailureCode;

  constructor(code: DownloadFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

interface Open {
  stop: AbortController;
  /** How many bytes the server is ready for, in all. */
  until: number;
  more: () => void;
}

/**
 * Files and folders of snapshots on their way to somebody's browser. restic writes into a pipe, which is read only as far as the server has
 * asked for more: a slow browser holds restic back, and nothing is kept here.
 */
export class Downloads {
  readonly #parts: DownloadParts;
  readonly #open = new Map<string, Open>();
  readonly #working = new Set<Promise<void>>();

  constructor(parts: DownloadParts) {
    this.#parts = parts;
  }

  take(order: DownloadOrder): void {
    switch (order.type) {
      case "download.open":
        return this.#begin(order);
      case "download.more": {
        const open = this.#open.get(order.request_id);
        if (open === undefined) return;
        open.until = Math.max(open.until, order.until);
        return open.more();
      }
      case "download.stop":
        return this.#open
          .get(order.request_id)
          ?.stop.abort(new Stopped("failed", "Nobody wants it any more."));
    }
  }

  /** The server is gone, and so is whoever waited. */
  leaveAll(): void {
    for (const { stop } of this.#open.values()) stop.abort(new Stopped("failed", "The connection was lost."));
  }

  async stop(): Promise<void> {
    this.leaveAll();
    await Promise.allSettled(this.#working);
  }

  #begin(order: Extract<DownloadOrder, { type: "download.open" }>): void {
    const { request_id } = order;
    if (this.#open.has(request_id)) return;
    if (this.#open.size >= MOST)
      return this.#fail(
        request_id,
        "busy",
        "This machine is sending as many downloads as it does at a time.",
      );
    const open: Open = { stop: new AbortController(), until: 0, more: () => {} };
    this.#open.set(request_id, open);
    const work = this.#send(order, open)
      .catch((error: unknown) => {
        const why: unknown = open.stop.signal.aborted ? open.stop.signal.reason : error;
        const message = why instanceof Error ? why.message : "unknown error";
        this.#fail(request_id, why instanceof Stopped ? why.code : "failed", message);
      })
      .finally(() => {
        this.#open.delete(request_id);
        this.#working.delete(work);
      });
    this.#working.add(work);
  }

  async #send(order: Extract<DownloadOrder, { type: "download.open" }>, open: Open): Promise<void> {
    const { request_id, snapshot_id, path, archive } = order;
    const access = this.#parts.restic();
    if (!access.ok) throw new Error(access.error.message);
    const most = this.#parts.mostBytes ?? DOWNLOAD_BYTES;
    let sent = 0;
    const done = await dump(
      access.context,
      { snapshotId: snapshot_id, path, archive },
      {
        cancel: open.stop.signal,
        onBytes: async (bytes) => {
          for (let at = 0; at < bytes.byteLength;) {
            if (sent >= most)
              open.stop.abort(
                new Stopped("too_large", "This is more than a download may have: restore it instead."),
              );
            const room = await this.#room(open, sent);
            const chunk = bytes.subarray(at, at + Math.min(DOWNLOAD_CHUNK, room));
            const header = { type: "download.chunk" as const, request_id, offset: sent };
            if (!this.#parts.send(encodeDownloadChunk(header, chunk)))
              open.stop.abort(new Stopped("failed", "The connection was lost."));
            at += chunk.byteLength;
            sent += chunk.byteLength;
          }
        },
      },
    );
    open.stop.signal.throwIfAborted();
    if (done.ok) return this.#parts.say({ type: "download.end", request_id, bytes: sent });
    const { code, message } = done.error;
    throw new Stopped(code === "snapshot_missing" || code === "path_missing" ? code : "failed", message);
  }

  /** How many bytes may go now; waits until there are some. Rejects when it was stopped, or nobody asks for more. */
  async #room(open: Open, sent: number): Promise<number> {
    const { signal } = open.stop;
    signal.throwIfAborted();
    if (open.until > sent) return open.until - sent;
    const { promise, resolve } = Promise.withResolvers<void>();
    open.more = resolve;
    signal.addEventListener("abort", () => resolve(), { once: true });
    const end = this.#parts.timers.after(DOWNLOAD_STALL_MS, () =>
      open.stop.abort(new Stopped("stalled", "Nobody took what was sent for too long.")),
    );
    await promise;
    end();
    return await this.#room(open, sent);
  }

  #fail(request_id: string, code: DownloadFailureCode, message: string): void {
    this.#parts.say({
      type: "download.failed",
      request_id,
      error: { code, message: message.slice(0, 8_000) },
    });
  }
}
