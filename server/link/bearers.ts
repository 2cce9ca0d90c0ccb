import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import { gathered } from "../platform/gathered.ts";

/** Looks up whose a bearer is, by its SHA-256 in hex. Always in the store: one that was revoked is not known from that moment on. */
export class Bearers {
  /** Those who ask together are answered by one statement: each question alone would wait for all transactions that came before. */
  readonly hostOf: (hash: string) => Promise<HostId | undefined>;

  constructor(db: Database) {
    this.hostOf = gathered(async (hashes: string[]) => {
      const rows = await askInShapes(hashes, (part) =>
        db.selectFrom("hosts").select(["id", "bearer_hash"]).where("bearer_hash", "in", part).execute(),
      );
      return new Map(rows.map((row) => [row.bearer_hash, row.id]));
    });
  }
}
