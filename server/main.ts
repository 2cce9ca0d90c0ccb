import { dirname, join } from "node:path";
import { systemClock } from "./platform/clock.ts";
import { ConfigError, readConfig } from "./platform/config.ts";
import { MigrationError } from "./platform/db/migrate.ts";
import { DatabaseUrlError } from "./platform/db/open.ts";
import { storeFailure } from "./platform/db/errors.ts";
import { serveConsole } from "./platform/http/console-assets.ts";
import { loadConsole } from "./platform/http/load-console.ts";
import { createLog } from "./platform/log.ts";
import { SealError } from "./platform/seal-keys.ts";
import { startServer, type RunningServer } from "./start.ts";

/** Exit codes: 0 stopped as asked, 1 failed, 78 (`EX_CONFIG` of sysexits.h) what the operator set does not work. */
const FAILED = 1;
const MISCONFIGURED = 78;

/**
 * A transaction on PostgreSQL costs the server and the database some 30 statements whoever it is for: those of many agents go together.
 * Measured with three servers (docs/decisions/who-holds-an-agent.md).
 */
const GATHER_MS = 20;

if (import.meta.main) await main();

async function main(): Promise<void> {
  const clock = systemClock();
  const log = createLog(clock);
  let server: RunningServer;
  try {
    server = await startServer(readConfig(process.env), {
      clock,
      log,
      pages: serveConsole(loadConsole()),
      agentsFolder: agentsFolder(),
      gatherMs: GATHER_MS,
    });
  } catch (error) {
    const sentence = inWords(error);
    if (sentence === null) log.error("the server did not start", error);
    else process.stderr.write(`restic-manager-server: ${sentence}\n`);
    process.exit(sentence === null ? FAILED : MISCONFIGURED);
  }
  process.stdout.write(`restic-manager-server listens on ${server.url}\n`);
  if (server.setupUrl !== null) process.stdout.write(`set it up at ${server.setupUrl}\n`);

  const stop = (signal: NodeJS.Signals) => {
    log.info("stopping", { signal });
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("the server did not stop cleanly", error);
        process.exit(FAILED);
      },
    );
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

/** Beside the executable, where `script/build` puts both; from sources, in `dist/`. */
function agentsFolder(): string {
  const compiled = !process.execPath.endsWith("/bun") && !process.execPath.endsWith("bun.exe");
  return compiled ? dirname(process.execPath) : join(import.meta.dirname, "../dist");
}

/** What the operator can do something about, in a sentence; null for everything else. */
function inWords(error: unknown): string | null {
  if (error instanceof ConfigError) return error.sentences.join("\n  ");
  if (error instanceof SealError || error instanceof MigrationError || error instanceof DatabaseUrlError)
    return error.message;
  const message = error instanceof Error ? error.message : String(error);
  switch (storeFailure(error)) {
    case "corrupt":
      return `the database is damaged or is none (${message}): bring back a copy of it`;
    case "locked":
      return `the database is in use by another program (${message})`;
    case "unreachable":
      return `the database cannot be reached (${message}): check RM_DATABASE_URL and RM_DATA_DIR`;
    case "full":
      return "the disk that holds the database is full";
    case "unstorable":
    case "other":
    case null:
      break;
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE") return "the address in RM_LISTEN is taken by another program";
  if (code.startsWith("ERR_OSSL_"))
    return `RM_TLS_CERT_FILE or RM_TLS_KEY_FILE is no certificate and key in PEM that belong together (${message})`;
  if (["EACCES", "ENOENT", "EROFS", "ENOTDIR"].includes(code))
    return `${message}: check RM_DATA_DIR, RM_SECRET_KEY_FILE, RM_TLS_CERT_FILE and who runs the server`;
  return null;
}
