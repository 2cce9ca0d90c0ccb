import { join } from "node:path";
import { UserId, type HostId } from "@restic-manager/protocol/ids";
import { startSession } from "@restic-manager/server/auth/sessions";
import { insertAccount } from "@restic-manager/server/auth/store";
import { systemClock } from "@restic-manager/server/platform/clock";
import type { Database } from "@restic-manager/server/platform/db/schema";
import { createIds } from "@restic-manager/server/platform/ids";
import { Program } from "../../script/trial/program.ts";

const MAIN = join(import.meta.dirname, "../../server/main.ts");

/** A real server in a process of its own, and somebody who is signed in to it. */
export interface BenchServer {
  url: string;
  cookie: string;
  pid: number;
  /** Asks as a browser would; throws unless the answer is a success. Answers the text. */
  ask(path: string): Promise<string>;
  /** Renames a host, as an operator would. */
  rename(hostId: HostId, name: string): Promise<void>;
  stop(): Promise<void>;
}

/** The cookie of a new operator's session, as sign-in would give it. */
export async function signIn(db: Database): Promise<string> {
  const clock = systemClock();
  const id = createIds(clock).mint(UserId);
  const user = { id, username: `bench-${id}`, role: "operator" as const };
  const token = await db.transaction().execute(async (trx) => {
    await insertAccount(trx, { ...user, passwordHash: "none", createdAt: clock.now() });
    return startSession(trx, clock, user, { address: null, userAgent: null }, null);
  });
  return `rm_session=${token}`;
}

/**
 * Starts the server on a store that is closed.
 *
 * @param folder for its key and its log. @param cookie from `signIn`. @param argv another program
 * that starts a server.
 */
export async function startServerProgram(
  databaseUrl: string,
  folder: string,
  cookie: string,
  { argv = [process.execPath, MAIN] }: { argv?: string[] } = {},
): Promise<BenchServer> {
  const program = new Program({
    name: "the server",
    argv,
    env: {
      RM_LISTEN: "127.0.0.1:0",
      RM_DATA_DIR: folder,
      RM_DATABASE_URL: databaseUrl,
      RM_COOKIE_SECURE: "false",
    },
    logFile: join(folder, "server.log"),
  });
  const [, url = ""] = await program.says(/listens on (\S+)/);
  return {
    url,
    cookie,
    pid: program.pid,
    async ask(path) {
      const answer = await fetch(url + path, { headers: { cookie } });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
      return text;
    },
    async rename(hostId, name) {
      const answer = await fetch(`${url}/api/hosts/${hostId}`, {
        method: "PATCH",
        headers: { cookie, origin: url, "content-type": "application/json" },
        body: JSON.stringify({ name }),
      });
      if (!answer.ok) throw new Error(`a host could not be renamed: ${await answer.text()}`);
    },
    async stop() {
      await program.stop();
    },
  };
}
