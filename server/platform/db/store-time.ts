import { sql, type RawBuilder } from "kysely";
import type { Clock } from "../clock.ts";
import { isPostgres } from "./dialect.ts";
import type { Database } from "./schema.ts";

/** The instant at which a statement runs, in milliseconds since 1970, to be written into it. */
export type StoreTime = () => RawBuilder<number>;

/**
 * The clock by which leases end. On PostgreSQL its own: all servers read the same one, so it does not matter by how much their
 * clocks differ. With SQLite there is one server, and its clock will do.
 */
export function storeTime(db: Database, clock: Clock): StoreTime {
  if (isPostgres(db)) return () => sql<number>`(extract(epoch from clock_timestamp()) * 1000)::float8`;
  return () => sql<number>`${clock.now()}`;
}
