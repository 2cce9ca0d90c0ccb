import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role, User } from "@restic-manager/protocol/api/session";
import { UserId } from "@restic-manager/protocol/ids";
import type { AppParts } from "../app.ts";
import { startSession } from "../auth/sessions.ts";
import { insertAccount } from "../auth/store.ts";
import { readConfig } from "../platform/config.ts";
import { createLog } from "../platform/log.ts";
import { startServer, type RunningServer } from "../start.ts";
import { testClock, type TestClock } from "./clock.ts";

export interface TestServerOptions {
  /** From `onEveryDatabase`; an SQLite file in a folder of its own unless told. */
  databaseUrl?: string;
  /** More of the environment that `readConfig` reads. */
  env?: Record<string, string>;
  clock?: TestClock;
  pages?: AppParts["pages"];
}

export interface Ask {
  method?: string;
  /** Sent as JSON. */
  json?: unknown;
  /** From `signedInAs`. */
  cookie?: string;
  headers?: Record<string, string>;
}

/** A whole server on a free port, with its own clock, database and key. */
export interface TestServer extends RunningServer {
  clock: TestClock;
  /** Every line of its log. */
  lines: string[];
  /** The folder with its data. */
  folder: string;
  /** Asks as a browser would on the server's own page: same origin, with the cookie. */
  ask(path: string, ask?: Ask): Promise<Response>;
  /** Makes an account of that role, named after it, and gives the cookie of its session. It has no usable password. */
  signedInAs(role: Role): Promise<string>;
}

/** Starts one; `await server.stop()` removes its data too. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "rm-server-"));
  const clock = options.clock ?? testClock();
  const lines: string[] = [];
  const config = readConfig({
    RM_LISTEN: "127.0.0.1:0",
    RM_DATA_DIR: folder,
    RM_COOKIE_SECURE: "false",
    RM_DATABASE_URL: options.databaseUrl,
    ...options.env,
  });
  const server = await startServer(config, {
    clock,
    log: createLog(clock, (line) => lines.push(line)),
    pages: options.pages ?? (() => new Response("the console")),
    agentsFolder: folder,
  });
  const { db, ids } = server.parts;
  return {
    ...server,
    clock,
    lines,
    folder,
    async ask(path, { method, json, cookie, headers = {} } = {}) {
      return fetch(`${server.url}${path}`, {
        method: method ?? (json === undefined ? "GET" : "POST"),
        redirect: "manual",
        headers: {
          origin: server.url,
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...(cookie === undefined ? {} : { cookie }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
    },
    async signedInAs(role) {
      const user: User = { id: ids.mint(UserId), username: `${role}-${ids.mint(UserId)}`, role };
      const token = await db.transaction().execute(async (trx) => {
        await insertAccount(trx, { ...user, passwordHash: "none", createdAt: clock.now() });
        return startSession(trx, clock, user, { address: null, userAgent: null }, null);
      });
      return `${config.cookieSecure ? "__Host-" : ""}rm_session=${token}`;
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Status and body of an answer in one value, for a test to compare. */
export async function answered(response: Promise<Response>): Promise<{ status: number; body: unknown }> {
  const { status, text } = await response.then(async (found) => ({
    status: found.status,
    text: await found.text(),
  }));
  return { status, body: text === "" ? null : parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
