import { afterEach } from "bun:test";
import type { Database } from "../platform/db/schema.ts";
import { openDatabase, type OpenStore } from "../platform/db/open.ts";
import { onEveryDatabase } from "./databases.ts";

/** Declares the same tests once for every database, each test on a fresh one with all tables, closed when it is over. */
export function onEveryStore(
  name: string,
  tests: (open: () => Promise<Database>, kind: "sqlite" | "postgres") => void,
): void {
  onEveryDatabase(name, (open, kind) => {
    const opened: OpenStore[] = [];
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    tests(async () => {
      const store = await openDatabase(await open());
      opened.push(store);
      return store.db;
    }, kind);
  });
}
