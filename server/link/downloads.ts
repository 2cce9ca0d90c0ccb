import {
  DOWNLOAD_STALL_MS,
  DOWNLOAD_WINDOW,
  type DownloadChunkHeader,
  type DownloadEnd,
  type DownloadFailureCode,
  type DownloadOrder,
} from "@restic-manager/protocol/download";
import type { HostId } from "@restic-manager/protocol/ids";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Bus, DownloadNews } from "../platform/bus.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Connection } from "./connection.ts";
import { DownloadRelays } from "./download-relays.ts";
import type { Hub } from "./hub.ts";
import { nodesOf } from "./presence-store.ts";

/** At a time on this server, so that windows take some tens of megabytes at most, and of one host. */
const MOST = 64;
const MOST_OF_HOST = 2;
/** restic opens the repository first, at worst over a slow line. */
const FIRST_BYTE_MS = 60_000;

/** What is wanted of a snapshot. */
export type DownloadWish = Pick<
  Extract<DownloadOrder, { type: "download.open" }>,
  "snapshot_id" | "path" | "archive"
>;
type Failure = {
  code: DownloadFailureCode | "host_offline" | "agent_outdated" | "timed_out";
  message: string;
};
export type Download = { ok: true; body: ReadableStream<Uint8Array> } | { ok: false; failure: Failure };

export interface DownloadParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  hub: Hub;
  /** This server. */
  node: string;
  aside: (doing: string, work: Promise<void>) => void;
}

interface Open {
  hostId: HostId;
  /** The connection it comes by; none when it comes by another server. */
  connection: Connection | undefined;
  order: (order: DownloadOrder) => void;
  chunks: Uint8Array[];
  received: number;
  granted: number;
  taken: number;
  end: "whole" | Failure | undefined;
  /** Something came. */
  wake: () => void;
  stall: Cancel;
  close: () => void;
}

const OFFLINE: Failure = { code: "host_offline", message: "the machine is not connected" };

/**
 * Bytes from agents to browsers. Never stored, and never more than a window of them here: the agent is asked for more only when the browser
 * has taken some.
 */
export class Downloads {
  readonly #parts: DownloadParts;
  readonly #open = new Map<string, Open>();
  readonly #relays: DownloadRelays;

  constructor(parts: DownloadParts) {
    this.#parts = parts;
    this.#relays = new DownloadRelays(parts);
  }

  /** How many are on their way. */
  get open(): number {
    return this.#open.size;
  }

  /** Asks for a download and waits for its first byte, so that what cannot be had is told instead. `gone`: nobody wants it any more. */
  async begin(hostId: HostId, wish: DownloadWish, gone: AbortSignal): Promise<Download> {
    const ofHost = [...this.#open.values()].filter((one) => one.hostId === hostId).length;
    if (this.#open.size >= MOST || ofHost >= MOST_OF_HOST)
      return { ok: false, failure: { code: "busy", message: "too many downloads at a time" } };
    const request_id = crypto.randomUUID();
    const { hub, clock } = this.#parts;
    const open: Open = {
      hostId,
      connection: hub.current(hostId),
      order: () => {},
      chunks: [],
      received: 0,
      granted: DOWNLOAD_WINDOW,
      taken: 0,
      end: undefined,
      wake: () => {},
      stall: () => {},
      close: () => {},
    };
    const left = (): void => this.#abandon(request_id, open);
    open.close = () => {
      open.stall();
      gone.removeEventListener("abort", left);
      this.#open.delete(request_id);
    };
    this.#open.set(request_id, open);
    gone.addEventListener("abort", left, { once: true });
    open.stall = clock.after(FIRST_BYTE_MS, () =>
      this.#break(request_id, open, { code: "timed_out", message: "the machine did not answer in time" }),
    );
    if (gone.aborted) left();
    const failure = await this.#route(open);
    if (failure === undefined) {
      open.order({ type: "download.open", request_id, ...wish });
      open.order({ type: "download.more", request_id, until: open.granted });
      await this.#next(open);
    } else this.#fail(open, failure);
    if (open.end !== undefined && open.end !== "whole" && open.chunks.length === 0) {
      open.close();
      return { ok: false, failure: open.end };
    }
    return { ok: true, body: this.#body(request_id, open) };
  }

  /** An agent here sent bytes. */
  chunk(connection: Connection, { request_id, offset }: DownloadChunkHeader, bytes: Uint8Array): void {
    if (this.#relays.chunk(connection, request_id, offset, bytes)) return;
    const open = this.#open.get(request_id);
    if (open?.connection === connection) this.#took(request_id, open, offset, bytes);
    // Whoever wanted it has gone.
    else connection.send({ type: "download.stop", request_id });
  }

  /** An agent here says how a download ended. */
  ended(connection: Connection, end: DownloadEnd): void {
    if (this.#relays.ended(connection, end)) return;
    const open = this.#open.get(end.request_id);
    if (open?.connection === connection) this.#over(open, end);
  }

  /** A connection ended, and with it what came by it. */
  left(connection: Connection): void {
    for (const open of this.#open.values()) if (open.connection === connection) this.#fail(open, OFFLINE);
    this.#relays.left(connection);
  }

  /** Does what other servers ask. Returns what ends it. */
  follow(): (() => void)[] {
    const { bus } = this.#parts;
    return [
      ...this.#relays.follow(),
      bus.respond("link.downloaded", ({ hostId, requestId, news }) => {
        const open = this.#open.get(requestId);
        if (open?.hostId === hostId && open.connection === undefined) this.#heard(requestId, open, news);
      }),
    ];
  }

  /** Where orders go. */
  async #route(open: Open): Promise<Failure | undefined> {
    const { hostId, connection } = open;
    if (connection !== undefined) {
      if (connection.greeted === undefined) return OFFLINE;
      if (connection.protocol < BROWSING_SINCE)
        return { code: "agent_outdated", message: "the agent is too old for downloads" };
      open.order = (order) => void connection.send(order);
      return undefined;
    }
    const { bus, db, node, aside } = this.#parts;
    const [there] = await nodesOf(db, [hostId]);
    if (there === undefined || there.node === node) return OFFLINE;
    // One after the other: what opens must be there first.
    let before: Promise<unknown> = Promise.resolve();
    open.order = (order) => {
      const work = before.then(async () => {
        const taken = await bus.request(there.node, "link.download", { hostId, from: node, order });
        if (!taken) this.#fail(open, OFFLINE);
      });
      before = work.catch(() => this.#fail(open, OFFLINE));
      aside(
        "ask another server for a download",
        before.then(() => {}),
      );
    };
    return undefined;
  }

  #heard(requestId: string, open: Open, news: DownloadNews): void {
    if (news.type === "chunk") this.#took(requestId, open, news.offset, Buffer.from(news.bytes, "base64"));
    else this.#over(open, news.end);
  }

  #took(requestId: string, open: Open, offset: number, bytes: Uint8Array): void {
    // The bus may say a thing twice.
    if (open.end !== undefined || offset < open.received) return;
    if (offset > open.received || offset + bytes.byteLength > open.granted)
      return this.#break(requestId, open, {
        code: "failed",
        message: "the agent sent what was not asked for",
      });
    open.received += bytes.byteLength;
    open.chunks.push(bytes);
    this.#patient(requestId, open);
    open.wake();
  }

  #over(open: Open, end: DownloadEnd): void {
    if (open.end !== undefined) return;
    if (end.type === "download.failed") return this.#fail(open, end.error);
    if (end.bytes !== open.received)
      return this.#fail(open, { code: "failed", message: "some of it was lost" });
    open.end = "whole";
    open.stall();
    open.wake();
  }

  #body(requestId: string, open: Open): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await this.#next(open);
          const chunk = open.chunks.shift();
          if (chunk === undefined) {
            open.close();
            if (open.end === "whole") return controller.close();
            // A broken answer: nobody may take a part for the whole.
            return controller.error(new Error(open.end?.message ?? "broken off"));
          }
          open.taken += chunk.byteLength;
          if (open.end === undefined) this.#patient(requestId, open);
          if (open.taken + DOWNLOAD_WINDOW - open.granted >= DOWNLOAD_WINDOW / 4 && open.end === undefined) {
            open.granted = open.taken + DOWNLOAD_WINDOW;
            open.order({ type: "download.more", request_id: requestId, until: open.granted });
          }
          controller.enqueue(chunk);
        },
        cancel: () => this.#abandon(requestId, open),
      },
      { highWaterMark: 0 },
    );
  }

  /** Waits until there are bytes, or an end. */
  async #next(open: Open): Promise<void> {
    if (open.chunks.length > 0 || open.end !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    open.wake = resolve;
    await promise;
  }

  /** Something moved; from now on it may stand still that long. */
  #patient(requestId: string, open: Open): void {
    open.stall();
    open.stall = this.#parts.clock.after(DOWNLOAD_STALL_MS, () =>
      this.#break(requestId, open, { code: "stalled", message: "nothing moved for too long" }),
    );
  }

  #break(requestId: string, open: Open, failure: Failure): void {
    if (open.end === undefined) open.order({ type: "download.stop", request_id: requestId });
    open.chunks = [];
    this.#fail(open, failure);
    // Whoever never reads on would never let go.
    open.close();
  }

  #abandon(requestId: string, open: Open): void {
    this.#break(requestId, open, { code: "failed", message: "nobody waits for it any more" });
  }

  #fail(open: Open, failure: Failure): void {
    open.end ??= failure;
    open.stall();
    open.wake();
  }
}
