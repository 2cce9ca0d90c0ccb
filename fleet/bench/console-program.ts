import { serveConsole } from "@restic-manager/server/platform/http/console-assets";
import { manifestOf } from "@restic-manager/server/platform/http/console-manifest";
import { systemClock } from "@restic-manager/server/platform/clock";
import { readConfig } from "@restic-manager/server/platform/config";
import { createLog } from "@restic-manager/server/platform/log";
import { startServer } from "@restic-manager/server/start";

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
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
