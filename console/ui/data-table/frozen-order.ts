import { useMemo, useState } from "react";

export interface Frozen<Row> {
  rows: readonly Row[];
  /** How many rows moved, came or went since the order was frozen. */
  changed: number;
}

/**
 * The rows in the order the reader is looking at, with their newest values. Rows that came at the end are appended (that
 * is the reader scrolling on); a row that came in between, went or moved is only counted.
 */
export function keepOrder<Row>(
  shown: readonly Row[],
  fresh: readonly Row[],
  idOf: (row: Row) => string,
): Frozen<Row> {
  const place = new Map(fresh.map((row, index) => [idOf(row), index]));
  const rows: Row[] = [];
  const places: number[] = [];
  let gone = 0;
  for (const row of shown) {
    const at = place.get(idOf(row));
    const current = at === undefined ? undefined : fresh[at];
    rows.push(current ?? row);
    if (at === undefined) gone += 1;
    else places.push(at);
  }
  const last = places.reduce((max, at) => Math.max(max, at), -1);
  const known = new Set(shown.map(idOf));
  let came = 0;
  for (const [index, row] of fresh.entries()) {
    if (known.has(idOf(row))) continue;
    if (index > last) rows.push(row);
    else came += 1;
  }
  return { rows, changed: gone + came + (places.length - longestRise(places)) };
}

/** Length of the longest increasing subsequence: what did not have to move. */
function longestRise(values: readonly number[]): number {
  const tails: number[] = [];
  for (const value of values) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tails[middle] ?? Infinity) < value) low = middle + 1;
      else high = middle;
    }
    tails[low] = value;
  }
  return tails.length;
}

/**
 * Holds the order while `frozen`. `listId` names what is listed (filter, sort): another list is taken as it comes. `release`
 * takes the fresh order although it is frozen.
 */
export function useFrozenOrder<Row>(
  fresh: readonly Row[],
  idOf: (row: Row) => string,
  frozen: boolean,
  listId: string,
): Frozen<Row> & { release: () => void } {
  const [held, setHeld] = useState({ listId, rows: fresh });
  const holds = frozen && held.listId === listId;
  if (!holds && (held.rows !== fresh || held.listId !== listId)) setHeld({ listId, rows: fresh });
  // Ten thousand rows are not compared anew in every frame of a scroll.
  const result = useMemo(
    () => (holds && held.rows !== fresh ? keepOrder(held.rows, fresh, idOf) : { rows: fresh, changed: 0 }),
    [holds, held.rows, fresh, idOf],
  );
  return { ...result, release: () => setHeld({ listId, rows: fresh }) };
}
