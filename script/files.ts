import { join } from "node:path";

/** The top of the repository. */
export const house = join(import.meta.dir, "..");

/**
 * Our own files, as paths from the top of the repository, in order.
 *
 * @param pattern what follows the room's name, such as `*.test.ts` at any depth.
 */
export function ourFiles(pattern: string): string[] {
  const rooms = "{protocol,restic,agent,server,console,fleet,e2e,script,deploy}";
  return [...new Bun.Glob(`${rooms}/**/${pattern}`).scanSync({ cwd: house })]
    .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
    .toSorted();
}
