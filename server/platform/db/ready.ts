import type { Compilable, CompiledQuery, Kysely, QueryResult } from "kysely";
import type { Database, Tables, Trx } from "./schema.ts";

/** Stands for a parameter while a query's text is made. */
class Place {}

interface Made {
  compiled: CompiledQuery;
  /** For each of the text's parameters which of the caller's it is, or none: it is part of the query. */
  from: number[];
}

/**
 * A query whose text is made once for each database instead of each time it runs: making it costs 4 to 11 µs, running it on
 * SQLite 2 to 3 (measured). For what runs for every frame, job or host; anything else is built where it is used.
 *
 * @param build is called once for each database, with stand-ins for the parameters: it may pass them on as values and not look at
 * them. `count`: how many parameters there are.
 */
export function ready<Params extends readonly unknown[], Row>(
  count: Params["length"],
  build: (db: Kysely<Tables>, params: Params) => Compilable<Row>,
): (db: Database | Trx, ...params: Params) => Promise<QueryResult<Row>> {
  // By the dialect's adapter, of which each open database has one of its own: nothing outlives its database.
  const known = new WeakMap<object, Made>();
  return async (db, ...params) => {
    const { adapter } = db.getExecutor();
    let made = known.get(adapter);
    if (made === undefined) {
      made = make(count, build, db);
      known.set(adapter, made);
    }
    const { compiled, from } = made;
    const parameters = compiled.parameters.map((fixed, at) => {
      const place = from[at] ?? -1;
      return place < 0 ? fixed : params[place];
    });
    // The row's type is what `build` says of the same text.
    return (await db.executeQuery({ ...compiled, parameters })) as QueryResult<Row>;
  };
}

function make<Params extends readonly unknown[], Row>(
  count: number,
  build: (db: Kysely<Tables>, params: Params) => Compilable<Row>,
  db: Database | Trx,
): Made {
  const places = Array.from({ length: count }, () => new Place());
  // Values of any type only pass through the builder.
  const compiled = build(db, places as unknown as Params).compile();
  const from = compiled.parameters.map((parameter) =>
    parameter instanceof Place ? places.indexOf(parameter) : -1,
  );
  return { compiled, from };
}

/** How many rows or keys of a long list one statement takes: few sizes, so that few statements are kept ready. */
const SIZES = [256, 64, 16, 4, 1] as const;

/** Cuts a list into parts of the sizes that statements are ready for. */
export function inSizes<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  let at = 0;
  for (const size of SIZES)
    for (; list.length - at >= size; at += size) parts.push(list.slice(at, at + size));
  return parts;
}

/** One ready query for each of the sizes; made when first needed. */
export function readyForSizes<Params extends readonly unknown[], Row>(
  count: (size: number) => number,
  build: (db: Kysely<Tables>, params: Params, size: number) => Compilable<Row>,
): (db: Database | Trx, size: number, params: Params) => Promise<QueryResult<Row>> {
  const queries = new Map(
    SIZES.map((size) => [size, ready<Params, Row>(count(size), (db, params) => build(db, params, size))]),
  );
  return async (db, size, params) => {
    const query = queries.get(size as (typeof SIZES)[number]);
    if (query === undefined) throw new Error(`no statement is ready for ${size} rows`);
    return await query(db, ...params);
  };
}
