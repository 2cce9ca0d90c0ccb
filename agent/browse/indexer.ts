import { ls } from "@restic-manager/restic/commands/ls";
import type { ResticContext } from "@restic-manager/restic/context";
import type { TreeFailureCode } from "@restic-manager/protocol/tree";
import { behindOthers } from "../behind-others.ts";
import { isDiskFull } from "../disk-full.ts";
import type { Build, TreeStore } from "./tree-store.ts";

/** A tree that was begun and that nobody asked about for so long gives way to the next that somebody wants. */
const FORGOTTEN_MS = 10_000;
/** An index takes about 11 bytes an entry, so what was listed stops at some 90 million. */
const CHECK_EVERY = 4_096;
/**
 * Garbage is collected so often: what is parsed of a long list would otherwise lie about until it is as large again as all that is in
 * use. Some 5 ms in every second.
 */
const COLLECT_EVERY = 65_536;

export type Indexed = { ok: true } | { ok: false; code: TreeFailureCode; message: string };

export interface IndexerParts {
  store: TreeStore;
  restic: () => { ok: true; context: ResticContext } | { ok: false; error: { message: string } };
  now: () => number;
}

interface Wanted {
  tree: string;
  snapshotId: string;
  done: PromiseWithResolvers<Indexed>;
  cancel: AbortController;
  wantedAt: number;
  waiters: number;
}

/** Lists whole snapshots into the store, one at a time, whoever asked first. */
export class Indexer {
  readonly #parts: IndexerParts;
  readonly #queue: Wanted[] = [];
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(parts: IndexerParts) {
    this.#parts = parts;
  }

  /**
   * Makes an index unless that is under way. Once begun it goes on when whoever wanted it has gone, since they come back mostly; until
   * somebody wants another.
   */
  want(tree: string, snapshotId: string): { ready: Promise<Indexed>; leave: () => void } {
    const now = this.#parts.now();
    let wanted = this.#queue.find((one) => one.tree === tree && !one.cancel.signal.aborted);
    if (wanted === undefined) {
      const done = Promise.withResolvers<Indexed>();
      wanted = { tree, snapshotId, done, cancel: new AbortController(), wantedAt: now, waiters: 0 };
      this.#queue.push(wanted);
    }
    wanted.waiters += 1;
    wanted.wantedAt = now;
    this.#giveWayTo(wanted, now);
    const one = wanted;
    this.#running ??= this.#run();
    return { ready: one.done.promise, leave: () => void (one.waiters -= 1) };
  }

  /** Whoever looked into one snapshot after the other waits for the last one only. */
  #giveWayTo(wanted: Wanted, now: number): void {
    for (const [place, other] of this.#queue.entries()) {
      if (other === wanted || other.waiters > 0) continue;
      if (place > 0 || now - other.wantedAt > FORGOTTEN_MS) other.cancel.abort();
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const wanted of this.#queue) wanted.cancel.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const given = this.#stopping || next.cancel.signal.aborted;
      next.done.resolve(
        given ? { ok: false, code: "cancelled", message: "The list was given up." } : await this.#index(next),
      );
      this.#queue.shift();
    }
    this.#running = undefined;
  }

  async #index({ tree, snapshotId, cancel }: Wanted): Promise<Indexed> {
    const { store, restic } = this.#parts;
    const access = restic();
    if (!access.ok) return { ok: false, code: "failed", message: access.error.message };
    const stop = new AbortController();
    let build: Build | undefined;
    let trouble: Indexed | undefined;
    const give = (why: Indexed): void => {
      trouble ??= why;
      stop.abort();
    };
    try {
      const begun = store.begin(tree);
      build = begun;
      const { writer } = begun;
      const listed = await ls(
        access.context,
        { snapshotId },
        {
          cancel: AbortSignal.any([cancel.signal, stop.signal]),
          onSpawn: behindOthers,
          onEntry(entry) {
            if (trouble !== undefined) return;
            try {
              writer.add(entry);
              if (writer.entries % COLLECT_EVERY === 0) Bun.gc(true);
              if (writer.entries % CHECK_EVERY === 0 && !store.fits(writer.bytes)) give(TOO_LARGE);
            } catch (error) {
              give(unwritten(error));
            }
          },
        },
      );
      // Named after another tree, it would be shown for that one, too.
      if (listed.ok && tree !== snapshotId && listed.value.tree !== tree)
        return {
          ok: false,
          code: "failed",
          message: "The snapshot does not have the tree that it was said to have.",
        };
      if (listed.ok && trouble === undefined) {
        build = undefined;
        begun.finish();
        return { ok: true };
      }
      if (trouble !== undefined || listed.ok) return trouble ?? { ok: true };
      const code = listed.error.code === "snapshot_missing" ? "snapshot_missing" : "failed";
      return { ok: false, code: cancel.signal.aborted ? "cancelled" : code, message: listed.error.message };
    } catch (error) {
      return unwritten(error);
    } finally {
      build?.abandon();
    }
  }
}

const TOO_LARGE: Indexed = {
  ok: false,
  code: "too_large",
  message: "This snapshot is too large to be indexed.",
};

function unwritten(error: unknown): Indexed {
  if (isDiskFull(error))
    return { ok: false, code: "failed", message: "There is no room on this machine's disk for the index." };
  const message = error instanceof Error ? error.message : "unknown error";
  return { ok: false, code: "failed", message: `The index could not be written: ${message}` };
}
