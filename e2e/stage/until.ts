/** How often a condition is looked at. */
const LOOK_MS = 40;

/**
 * Asks again and again until there is an answer; what it throws meanwhile is remembered and told at the end.
 *
 * @param what continues "waited in vain until …".
 * @param seconds the deadline; generous, since it only decides how long a failure takes.
 */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 30,
): Promise<T> {
  const late = Date.now() + seconds * 1_000;
  let last: unknown;
  while (Date.now() < late) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await Bun.sleep(LOOK_MS);
  }
  const why = last instanceof Error ? ` (${last.message})` : "";
  throw new Error(`waited ${seconds} s in vain until ${what}${why}`, { cause: last });
}
