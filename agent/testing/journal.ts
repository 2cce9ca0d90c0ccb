import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JobId } from "@restic-manager/protocol/ids";
import type { CommandRun } from "@restic-manager/protocol/server-message";
import type { Ballast } from "../ballast.ts";
import { openAgentDb } from "../db.ts";
import { Journal } from "../journal.ts";
import { Outbox } from "../outbox.ts";

/** A job id that tests can tell apart. */
export function jobId(n: number): JobId {
  return JobId.parse(`01JD${String(n).padStart(22, "0")}`);
}

/** A command to run an `init`, the simplest kind. */
export function command(n: number): CommandRun {
  return {
    type: "command.run",
    job_id: jobId(n),
    kind: "init",
    input: {},
    actor_kind: "user",
    created_at: "2026-11-21T00:00:00.000Z",
  };
}

/** A journal over a real file in a folder of its own. `again` opens the same file as a later life would. */
export function testJournal(options: { logLimit?: number; ballast?: Ballast; folder?: string } = {}) {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "rm-journal-"));
  const db = openAgentDb(join(folder, "agent.db"));
  const outbox = new Outbox(db, options.logLimit);
  const { ballast } = options;
  const now = (): number => Date.UTC(2026, 10, 21, 12);
  const journal = new Journal({ db, outbox, now, ...(ballast === undefined ? {} : { ballast }) });
  return {
    folder,
    db,
    outbox,
    journal,
    /** The waiting messages as the server would read them. */
    waiting: () => outbox.read(1, 10_000, 1e9).map((frame) => frame.data),
    close() {
      db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
