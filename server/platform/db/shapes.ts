/** How many rows one statement has: few sizes, so that each is prepared once and stays so. */
const SIZES = [64, 16, 4, 1];

/**
 * Splits a list for statements with a row for each element, in the list's order: 37 become 16, 16, 4 and 1.
 *
 * @param sizes what a part may have, largest first; the last is 1.
 */
export function inShapes<T>(list: readonly T[], sizes: readonly number[] = SIZES): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < list.length;) {
    const size = sizes.find((one) => one <= list.length - from) ?? 1;
    parts.push(list.slice(from, from + size));
    from += size;
  }
  return parts;
}

/** Asks once for each part of a list that `inShapes` makes, one after the other, and joins the answers. */
export async function askInShapes<T, R>(
  list: readonly T[],
  ask: (part: T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const all: R[] = [];
  for (const part of inShapes(list)) all.push(...(await ask(part)));
  return all;
}
