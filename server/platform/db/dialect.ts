import { PostgresAdapter, sql, type ColumnDataType, type Kysely, type RawBuilder } from "kysely";

/** Types that the two databases name differently. */
export interface ColumnTypes {
  /** Whole numbers up to 2^53: `float8` on PostgreSQL, since its `int8` would reach us as text. */
  number: ColumnDataType;
  blob: ColumnDataType;
}

/** A database whatever its tables, or a transaction of one. */
type AnyDatabase = Pick<Kysely<unknown>, "getExecutor">;

/** Says which database `db` talks to; branches on it live in this folder only. */
export function isPostgres(db: AnyDatabase): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Column types for the database that `db` talks to. */
export function columnTypes(db: Kysely<unknown>): ColumnTypes {
  return isPostgres(db) ? { number: "float8", blob: "bytea" } : { number: "integer", blob: "blob" };
}

/**
 * A column in a condition that most rows fulfil. SQLite, which has no statistics, would look them all up by an index of that column
 * and sort them; written like this it walks the order that is asked for. PostgreSQL knows better by itself.
 */
export function commonly(db: AnyDatabase, column: string): RawBuilder<number> {
  return isPostgres(db) ? sql`${sql.ref(column)}` : sql`+${sql.ref(column)}`;
}

/**
 * Ends a `select` of one table inside a transaction so that its rows stay ours until the commit: a second transaction that
 * asks for them waits, and then reads what the first has written. SQLite has one writer at a time anyway.
 *
 * "No key": rows that refer to this one may still be written meanwhile.
 * Written for `query.modifyEnd(rowLock(trx))`.
 */
export function rowLock(db: AnyDatabase): RawBuilder<unknown> {
  return isPostgres(db) ? sql`for no key update` : sql``;
}
