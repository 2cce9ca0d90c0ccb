import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely";
import type { Database, Tables, Trx } from "./schema.ts";
import { inShapes } from "./shapes.ts";

/** Stands for a parameter while a query's text is made; afterwards it reads the parameter from what the caller gives. */
class Place<Params> {
  readonly read: (params: Params) => unknown;

  constructor(read: (params: Params) => unknown) {
    this.read = read;
  }
}

/** Runs a query that was made once. */
export type Ready<Params, Row> = (db: Database | Trx, params: Params) => Promise<QueryResult<Row>>;
/** The same for a list of any length: in parts, each with what it answered. */
export type ReadyForLists<Member, Row> = (
  db: Database | Trx,
  members: readonly Member[],
) => Promise<{ part: readonly Member[]; result: QueryResult<Row> }[]>;

/**
 * A query whose text is made once for each database instead of each time it runs: making it costs 4 to 11 µs, running it on
 * SQLite 2 to 3 (measured). For what runs for every frame, job or host; anything else is built where it is used.
 *
 * @param build is called once for each database, with stand-ins for the parameters: it may pass them on as values and not look at
 * them.
 */
export function ready<Params extends object, Row>(
  build: (db: Kysely<Tables>, params: Params) => Compilable<Row>,
): Ready<Params, Row> {
  const places = new Proxy(
    {},
    { get: (_, name) => new Place<Params>((params) => Reflect.get(params, name)) },
  );
  // Values of any type only pass through the builder.
  return madeOnce((db) => build(db, places as Params));
}

/**
 * As `ready`, for a list of keys of which none is asked for twice if it is given twice (`in`): so that few statements are kept ready and
 * few are sent, a part is filled up with its last key.
 *
 * @param build gets as many stand-ins as a part has members.
 */
export function readyForKeys<Key, Row>(
  build: (db: Kysely<Tables>, keys: Key[]) => Compilable<Row>,
): ReadyForLists<Key, Row> {
  return inParts((db, size) => {
    const places = Array.from(
      { length: size },
      (_, at) => new Place<readonly Key[]>((keys) => keys[Math.min(at, keys.length - 1)]),
    );
    return build(db, places as unknown[] as Key[]);
  }, filled);
}

/** As `ready`, for many rows of these columns. @param build gets as many rows of stand-ins as a part has members. */
export function readyForRows<Columns extends object, Row>(
  columns: readonly (keyof Columns & string)[],
  build: (db: Kysely<Tables>, rows: Columns[]) => Compilable<Row>,
): ReadyForLists<Columns, Row> {
  return inParts((db, size) => {
    const rows = Array.from({ length: size }, (_, at) =>
      Object.fromEntries(
        columns.map((column) => [column, new Place<readonly Columns[]>((given) => given[at]?.[column])]),
      ),
    );
    return build(db, rows as unknown[] as Columns[]);
  });
}

function madeOnce<Params, Row>(build: (db: Kysely<Tables>) => Compilable<Row>): Ready<Params, Row> {
  // By the dialect's adapter, of which each open database has one of its own: nothing outlives its database.
  const known = new WeakMap<object, CompiledQuery<Row>>();
  return async (db, params) => {
    const { adapter } = db.getExecutor();
    let made = known.get(adapter);
    if (made === undefined) {
      made = build(db).compile();
      known.set(adapter, made);
    }
    const parameters = made.parameters.map((parameter) =>
      parameter instanceof Place ? parameter.read(params) : parameter,
    );
    return await db.executeQuery({ ...made, parameters });
  };
}

/** How many members of a list one statement takes: few sizes, so that few statements are kept ready. */
const SIZES: readonly number[] = [256, 64, 16, 4, 1];

/** Parts of which each but the last is as large as can be; the last is filled up by whoever asks. */
function filled<Member>(members: readonly Member[]): { part: readonly Member[]; size: number }[] {
  const [largest = 1] = SIZES;
  const parts = [];
  for (let at = 0; at < members.length; at += largest) {
    const part = members.slice(at, at + largest);
    parts.push({ part, size: SIZES.findLast((size) => size >= part.length) ?? largest });
  }
  return parts;
}

function exact<Member>(members: readonly Member[]): { part: readonly Member[]; size: number }[] {
  return inShapes(members, SIZES).map((part) => ({ part, size: part.length }));
}

function inParts<Member, Row>(
  build: (db: Kysely<Tables>, size: number) => Compilable<Row>,
  split: (members: readonly Member[]) => { part: readonly Member[]; size: number }[] = exact,
): ReadyForLists<Member, Row> {
  const queries = new Map(
    SIZES.map((size) => [size, madeOnce<readonly Member[], Row>((db) => build(db, size))]),
  );
  return async (db, members) => {
    const results = [];
    for (const { part, size } of split(members)) {
      const run = queries.get(size);
      if (run === undefined) throw new Error(`no statement has ${size} rows`);
      results.push({ part, result: await run(db, part) });
    }
    return results;
  };
}
