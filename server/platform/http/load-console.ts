import { join } from "node:path";
import { type ConsoleManifest, manifestOf } from "./console-manifest.ts";
import { embeddedConsole } from "./embedded-console.ts";

/** The console that belongs to this server: embedded by `script/build`, else whatever lies in `console/dist`. */
export function loadConsole(): ConsoleManifest {
  return embeddedConsole ?? manifestOf(join(import.meta.dirname, "../../../console/dist"));
}
