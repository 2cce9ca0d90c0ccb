import { ResticId } from "@restic-manager/protocol/ids";
import {
  TREE_ANSWER_BYTES,
  VERSIONS_LISTED,
  type FileVersion,
  type TreeAnswer,
  type TreeFailureCode,
  type TreeQuestion,
} from "@restic-manager/protocol/tree";
import { find } from "@restic-manager/restic/commands/find";
import type { ResticError } from "@restic-manager/restic/error";
import type { Timers } from "../timers.ts";
import { jsonBytes, type Kept } from "./entry.ts";
import { firstPage } from "./first-page.ts";
import { Indexer, type IndexerParts } from "./indexer.ts";
import { namePattern } from "./name-pattern.ts";
import type { TreeReader } from "./tree-reader.ts";
import { TreeStore } from "./tree-store.ts";
import { Turns } from "./turns.ts";

/** All indexes together: about 20 million entries. */
const CACHE_BYTES = 256 * 1024 * 1024;
/** Questions at a time; the server and people ask a few. */
const MOST_QUESTIONS = 32;
/** restics that list one folder, beside the one that lists a whole snapshot. */
const LISTING = 2;
/** restics that look for one file in all snapshots, which may take minutes. */
const FINDING = 1;

export interface BrowserParts {
  /** For the indexes; made if it is not there. */
  folder: string;
  restic: IndexerParts["restic"];
  /** The name that this machine's snapshots carry. */
  hostName: () => string;
  timers: Timers;
  cacheBytes?: number;
}

type Ask<T extends TreeQuestion["type"]> = Extract<TreeQuestion, { type: T }>;

/** Why a question has no answer. */
class Unanswered extends Error {
  readonly code: TreeFailureCode;

  constructor(code: TreeFailureCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Answers what the server asks about snapshots: from indexes, and from restic while there is none yet. */
export class Browser {
  readonly #parts: BrowserParts;
  readonly #store: TreeStore;
  readonly #indexer: Indexer;
  readonly #listing = new Turns(LISTING);
  readonly #finding = new Turns(FINDING);
  readonly #asked = new Map<string, AbortController>();
  readonly #working = new Set<Promise<unknown>>();

  /** Throws the system's error when the folder cannot be made. */
  constructor(parts: BrowserParts) {
    this.#parts = parts;
    this.#store = new TreeStore(parts.folder, parts.cacheBytes ?? CACHE_BYTES);
    this.#indexer = new Indexer({ store: this.#store, restic: parts.restic, now: parts.timers.now });
  }

  /** Never throws; a question that cannot be answered has `tree.failed` for an answer. */
  async ask(question: TreeQuestion): Promise<TreeAnswer> {
    const { request_id } = question;
    if (this.#asked.has(request_id)) return failed(request_id, "failed", "This was asked twice.");
    if (this.#asked.size >= MOST_QUESTIONS)
      return failed(request_id, "busy", "This machine is answering too many questions at once.");
    const stop = new AbortController();
    this.#asked.set(request_id, stop);
    const deadline = this.#parts.timers.after(question.deadline_ms, () =>
      stop.abort(new Unanswered("timed_out", "This took longer than anybody wants to wait.")),
    );
    const work = this.#answer(question, stop.signal).catch((error: unknown) => {
      // Whatever the stop made of it, the reason for the stop is the reason.
      const why: unknown = stop.signal.aborted ? stop.signal.reason : error;
      if (why instanceof Unanswered) return failed(request_id, why.code, why.message);
      return failed(request_id, "failed", why instanceof Error ? why.message : "unknown error");
    });
    this.#working.add(work);
    try {
      return await work;
    } finally {
      deadline();
      this.#asked.delete(request_id);
      this.#working.delete(work);
    }
  }

  /** Nobody waits for that answer any more. */
  leave(requestId: string): void {
    this.#asked.get(requestId)?.abort(new Unanswered("cancelled", "Nobody waits for this any more."));
  }

  /** Nobody waits for any answer. */
  leaveAll(): void {
    for (const id of this.#asked.keys()) this.leave(id);
  }

  /**
   * Looks into a snapshot's index, which is made first if need be. `look` is called without one when there can be none; what it throws is
   * thrown here.
   */
  async look<T>(
    { id, tree = id }: { id: string; tree: string | undefined },
    cancel: AbortSignal,
    look: (reader: TreeReader | undefined) => Promise<T>,
  ): Promise<T> {
    const now = this.#parts.timers.now();
    let done: { value: T } | { error: unknown } | undefined;
    // To the store an error would mean that the file is damaged.
    const within = async (reader: TreeReader): Promise<true> => {
      done = await look(reader).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      return true;
    };
    if ((await this.#store.read(tree, now, within)) === undefined && !cancel.aborted) {
      const { ready, leave } = this.#indexer.want(tree, id);
      try {
        const made = await Promise.race([ready, aborted(cancel)]);
        if (made?.ok === true) await this.#store.read(tree, now, within);
      } finally {
        leave();
      }
    }
    if (done === undefined) return await look(undefined);
    if ("error" in done) throw done.error;
    return done.value;
  }

  async stop(): Promise<void> {
    this.leaveAll();
    await this.#indexer.stop();
    await Promise.allSettled(this.#working);
  }

  #answer(question: TreeQuestion, cancel: AbortSignal): Promise<TreeAnswer> {
    switch (question.type) {
      case "tree.list":
        return this.#list(question, cancel);
      case "tree.search":
        return this.#search(question, cancel);
      case "tree.versions":
        return this.#versions(question, cancel);
    }
  }

  async #list(question: Ask<"tree.list">, cancel: AbortSignal): Promise<TreeAnswer> {
    const { request_id, from, limit } = question;
    const path = question.path.replace(/(?<=.)\/+$/, "");
    const look = (reader: TreeReader): TreeAnswer => {
      const page = reader.page(path, from, limit, TREE_ANSWER_BYTES);
      if (page.total === 0 && !reader.has(path))
        return failed(request_id, "path_missing", `${path} is not in the snapshot.`);
      const entries = page.entries.map(({ name, ...kept }) => ({ name, ...told(kept) }));
      const { total, next } = page;
      const whole = { entries, total, next: next ?? null, indexed: true, snapshot: reader.total() };
      return { type: "tree.list.result", request_id, page: whole };
    };
    return await this.#fromIndex(question, look, cancel, (indexed) => {
      // A name with lost bytes cannot be asked of restic, and a later page would have to read all before it.
      if (from > 0 || question.indexed === true || path.includes("\ufffd")) return undefined;
      return this.#fromRestic({ ...question, path }, indexed);
    });
  }

  /** The folder alone, unless the index is there first. */
  async #fromRestic(question: Ask<"tree.list">, indexed: AbortSignal): Promise<TreeAnswer> {
    const { request_id, snapshot_id, path, limit } = question;
    return await this.#listing.take(indexed, async () => {
      const access = this.#parts.restic();
      if (!access.ok) throw new Unanswered("failed", access.error.message);
      const what = { snapshotId: snapshot_id, folder: path, limit, bytes: TREE_ANSWER_BYTES };
      const made = await firstPage(access.context, what, indexed);
      if (!made.ok) throw unanswered(made.error);
      return { type: "tree.list.result" as const, request_id, page: made.page };
    });
  }

  async #search(question: Ask<"tree.search">, cancel: AbortSignal): Promise<TreeAnswer> {
    const { request_id, query, below, cursor, limit } = question;
    const look = async (reader: TreeReader): Promise<TreeAnswer> => {
      const where = {
        below: below.replace(/(?<=.)\/+$/, ""),
        cursor,
        limit,
        bytes: TREE_ANSWER_BYTES,
        cancel,
      };
      const { entries, next } = await reader.search(namePattern(query), where);
      const listed = entries.map(({ name, path, ...kept }) => ({ name, path, ...told(kept) }));
      return { type: "tree.search.result", request_id, page: { entries: listed, next: next ?? null } };
    };
    return await this.#fromIndex(question, look, cancel);
  }

  async #versions(question: Ask<"tree.versions">, cancel: AbortSignal): Promise<TreeAnswer> {
    const { request_id, path } = question;
    const access = this.#parts.restic();
    if (!access.ok) throw new Unanswered("failed", access.error.message);
    const found = await this.#finding.take(cancel, () =>
      find(access.context, { what: { path }, host: this.#parts.hostName() }, { cancel }),
    );
    if (!found.ok) throw unanswered(found.error);
    const versions = found.value.flatMap(({ snapshot_id, path: _path, ...rest }): FileVersion[] => {
      const id = ResticId.safeParse(snapshot_id);
      return id.success ? [{ snapshot_id: id.data, ...rest }] : [];
    });
    const listed = newestOf(versions);
    const truncated = listed.length < versions.length;
    return { type: "tree.versions.result", request_id, versions: listed, truncated };
  }

  /**
   * From the index if there is one. If not, it is made, and `meanwhile` may answer before it is ready; its signal aborts when the index
   * was first, or nobody waits any more.
   */
  async #fromIndex(
    { snapshot_id, tree = snapshot_id }: Ask<"tree.list" | "tree.search">,
    look: (reader: TreeReader) => TreeAnswer | Promise<TreeAnswer>,
    cancel: AbortSignal,
    meanwhile: (ready: AbortSignal) => Promise<TreeAnswer> | undefined = () => undefined,
  ): Promise<TreeAnswer> {
    const now = this.#parts.timers.now();
    const there = await this.#store.read(tree, now, look);
    if (there !== undefined) return there;
    if (cancel.aborted) return await gone(cancel, true);
    const first = new AbortController();
    const direct = meanwhile(AbortSignal.any([cancel, first.signal]));
    direct?.catch(() => {});
    const { ready, leave } = this.#indexer.want(tree, snapshot_id);
    try {
      const indexed = ready.then(async (made): Promise<TreeAnswer> => {
        // Without an index the other way still leads somewhere.
        if (!made.ok && direct !== undefined) return await direct;
        if (!made.ok) throw new Unanswered(made.code, made.message);
        const read = await this.#store.read(tree, now, look);
        if (read === undefined) throw new Unanswered("failed", "The index of this snapshot cannot be read.");
        return read;
      });
      indexed.catch(() => {});
      return await Promise.race([
        ...(direct === undefined ? [] : [direct.catch((error: unknown) => orElse(error, indexed))]),
        indexed,
        gone(cancel, direct === undefined),
      ]);
    } finally {
      first.abort();
      leave();
    }
  }
}

/** Resolves when somebody cancels. */
function aborted(cancel: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (cancel.aborted) resolve(undefined);
    cancel.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** Rejects when nobody waits any more. */
function gone(cancel: AbortSignal, needsIndex: boolean): Promise<never> {
  return new Promise((_resolve, reject) => {
    const end = (): void => {
      const why: unknown = cancel.reason;
      if (needsIndex && why instanceof Unanswered && why.code === "timed_out")
        Object.assign(why, { code: "indexing", message: "The list of this snapshot is still being made." });
      reject(why instanceof Error ? why : new Error("stopped"));
    };
    if (cancel.aborted) end();
    cancel.addEventListener("abort", end, { once: true });
  });
}

/** What restic could not say of one folder, the index may. */
async function orElse(error: unknown, indexed: Promise<TreeAnswer>): Promise<TreeAnswer> {
  if (error instanceof Unanswered && error.code !== "failed") throw error;
  return await indexed;
}

/** As many from the end as an answer holds. */
function newestOf(versions: FileVersion[]): FileVersion[] {
  let room = TREE_ANSWER_BYTES;
  const from = versions.findLastIndex((version, at) => {
    room -= jsonBytes(version);
    return room <= 0 || versions.length - at > VERSIONS_LISTED;
  });
  return versions.slice(from + 1);
}

function told({ below, ...kept }: Kept) {
  return kept.type === "dir" ? { ...kept, below } : kept;
}

function unanswered(error: ResticError): Unanswered {
  const known = error.code === "snapshot_missing" || error.code === "path_missing";
  return new Unanswered(known ? error.code : "failed", error.message);
}

function failed(request_id: string, code: TreeFailureCode, message: string): TreeAnswer {
  return { type: "tree.failed", request_id, error: { code, message: message.slice(0, 8_000) } };
}
