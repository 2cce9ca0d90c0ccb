import { Database, SQLiteError } from "bun:sqlite";

/** Another agent runs on the same state folder. */
export class StateInUse extends Error {
  override readonly name = "StateInUse";

  constructor(path: string) {
    super(
      `another agent runs on this state folder (it holds ${path}). Two would end each other's backups: stop that one first, or choose another folder.`,
    );
  }
}

/**
 * Makes this process the only agent on a state folder until the returned function is called or the process ends, whichever way.
 * Without it a second agent would take the first one's running restic for an orphan and end it.
 *
 * A locked SQLite file, because that is the lock that works on every system and that `kill -9` releases.
 *
 * @throws StateInUse
 */
export function lockState(path: string): () => void {
  const lock = new Database(path, { create: true, strict: true });
  try {
    lock.run("pragma busy_timeout = 0");
    lock.run("begin exclusive");
  } catch (error) {
    lock.close();
    if (error instanceof SQLiteError && error.code?.startsWith("SQLITE_BUSY") === true) {
      throw new StateInUse(path);
    }
    throw error;
  }
  return () => lock.close();
}
