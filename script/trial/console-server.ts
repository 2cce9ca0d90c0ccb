import { systemClock } from "../../server/platform/clock.ts";
import { readConfig } from "../../server/platform/config.ts";
import { serveConsole } from "../../server/platform/http/console-assets.ts";
import { manifestOf } from "../../server/platform/http/console-manifest.ts";
import { createLog } from "../../server/platform/log.ts";
import { startServer } from "../../server/start.ts";

/** The server with the console as it is built for shipping: what `script/build` makes one program of, without making it. */
const [dist = ""] = process.argv.slice(2);
const clock = systemClock();
const server = await startServer(readConfig(process.env), {
  clock,
  log: createLog(clock),
  pages: serveConsole(manifestOf(dist)),
  agentsFolder: dist,
});
process.stdout.write(`restic-manager-server listens on ${server.url}\n`);
if (server.setupUrl !== null) process.stdout.write(`set it up at ${server.setupUrl}\n`);
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
