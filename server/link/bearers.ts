import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import { turn } from "../platform/turn.ts";

/** Most bearers that are looked up in one go. */
const AT_ONCE = 256;

/** Looks up whose a bearer is, by its SHA-256 in hex. Always in the store: one that was revoked is not known from that moment on. */
export class Bearers {
  readonly #db: Database;
  #asked: {
    hash: string;
    resolve: (hostId: HostId | undefined) => void;
    reject: (error: unknown) => void;
  }[] = [];
  #running = false;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Those who ask together are answered by one statement: each question alone would wait for all transactions that came before. */
  hostOf(hash: string): Promise<HostId | undefined> {
    const answer = new Promise<HostId | undefined>((resolve, reject) =>
      this.#asked.push({ hash, resolve, reject }),
    );
    if (!this.#running) void this.#drain();
    return answer;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#asked.length > 0) {
      await turn();
      const now = this.#asked.splice(0, AT_ONCE);
      try {
        const hashes = [...new Set(now.map(({ hash }) => hash))];
        const rows = await askInShapes(hashes, (part) =>
          this.#db
            .selectFrom("hosts")
            .select(["id", "bearer_hash"])
            .where("bearer_hash", "in", part)
            .execute(),
        );
        const found = new Map(rows.map((row) => [row.bearer_hash, row.id]));
        for (const { hash, resolve } of now) resolve(found.get(hash));
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    this.#running = false;
  }
}
