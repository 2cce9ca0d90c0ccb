import type { ConsoleManifest } from "./console-manifest.ts";

/**
 * The console inside a single executable: `script/build` puts its files in place of this one. Nothing while the
 * server runs from its sources.
 */
export const embeddedConsole: ConsoleManifest | undefined = undefined;
