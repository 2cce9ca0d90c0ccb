import { sql } from "kysely";
import { isPostgres } from "./dialect.ts";
import type { Database } from "./schema.ts";

/** Less free space than this is left for what comes next. */
const LEAST_BYTES = 64 * 2 ** 20;
/** And less than this part of the file. */
const LEAST_PART = 1 / 5;
/** Half a MiB: SQLite moves so many pages in some milliseconds. */
const PAGES_A_STEP = 128;

/**
 * Gives a bit of an SQLite file's free space back to the disk, if there is much of it: after limits were lowered, or a machine gone
 * mad was removed. In everyday life what is deleted makes room for what comes, and nothing is moved.
 *
 * @param least bytes of free space that are left alone; tests give their own.
 * @returns true when there was something to give back. PostgreSQL sees to its files itself.
 */
export async function giveBackSpace(db: Database, least = LEAST_BYTES): Promise<boolean> {
  if (isPostgres(db)) return false;
  const read = async (name: string): Promise<number> => {
    const { rows } = await sql<Record<string, number>>`${sql.raw(`pragma ${name}`)}`.execute(db);
    return Object.values(rows[0] ?? {})[0] ?? 0;
  };
  const free = await read("freelist_count");
  if (free * (await read("page_size")) < least || free < (await read("page_count")) * LEAST_PART)
    return false;
  // A file from before this was there keeps its size until somebody runs VACUUM.
  if ((await read("auto_vacuum")) !== INCREMENTAL) return false;
  await sql`${sql.raw(`pragma incremental_vacuum(${PAGES_A_STEP})`)}`.execute(db);
  return true;
}

/** sqlite.org/pragma.html#pragma_auto_vacuum */
const INCREMENTAL = 2;
