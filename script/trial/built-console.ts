import { join } from "node:path";
import { house } from "../files.ts";

/** The program that serves what `buildConsole` made; the folder is its only argument. */
export const CONSOLE_SERVER = join(import.meta.dirname, "console-server.ts");

/**
 * Builds the console as it is shipped into a folder of one's own.
 *
 * @throws Error with the bundler's words.
 */
export function buildConsole(dist: string): void {
  const build = Bun.spawnSync(["bun", "--bun", "vite", "build", "--outDir", dist, "--logLevel", "warn"], {
    cwd: join(house, "console"),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!build.success) throw new Error(`the console could not be built: ${build.stderr.toString()}`);
}
