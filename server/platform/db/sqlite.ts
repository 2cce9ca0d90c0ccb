import { Database as SqliteFile } from "bun:sqlite";
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { CompiledQuery, SqliteAdapter, type Dialect, type Driver } from "kysely";
import { BunSqliteDialect } from "kysely-bun-sqlite";
import { PreparedConnection } from "./statements.ts";

/** How long a statement waits for another process (a backup of the file, an operator's shell) before it fails as locked. */
const BUSY_MS = 5_000;

/**
 * Opens the file, made with mode 0600 in a folder made with 0700: it holds password hashes and sealed secrets.
 *
 * @throws SQLiteError when it cannot be opened or is not a database.
 */
export function openSqliteFile(path: string): SqliteFile {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  // SQLite gives its -wal and -shm files the mode of the database.
  closeSync(openSync(path, "a", 0o600));
  chmodSync(path, 0o600);
  const file = new SqliteFile(path, { readwrite: true });
  try {
    file.run(`pragma busy_timeout = ${BUSY_MS}`);
    // Takes effect in a new file only. Costs nothing that could be measured, and lets free space be given back in small steps.
    file.run("pragma auto_vacuum = incremental");
    file.run("pragma journal_mode = wal");
    // What was acknowledged to an agent is gone from its outbox: it must survive a power cut here.
    file.run("pragma synchronous = full");
    file.run("pragma foreign_keys = on");
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Kysely over one SQLite connection. */
export function sqliteDialect(file: SqliteFile): Dialect {
  return new OneWriter(file);
}

/** SQLite's schema changes are transactional, whatever Kysely says: a step of the tables' history is whole or not there. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class OneWriter extends BunSqliteDialect {
  readonly #file: SqliteFile;

  constructor(file: SqliteFile) {
    super({ database: file });
    this.#file = file;
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }

  override createDriver(): Driver {
    const driver = super.createDriver();
    const connection = new PreparedConnection(this.#file);
    const [acquire, destroy] = [driver.acquireConnection.bind(driver), driver.destroy.bind(driver)];
    driver.acquireConnection = async () => {
      // Waits for the transaction before.
      await acquire();
      return connection;
    };
    driver.destroy = async () => {
      connection.finalize();
      await destroy();
    };
    // A transaction that starts by reading and writes later would fail at once, without the busy timeout, if another
    // process wrote in between.
    driver.beginTransaction = async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("begin immediate"));
    };
    // After some failures (a full disk) SQLite has rolled back already: a second try would hide the first error.
    driver.rollbackTransaction = async (connection) => {
      try {
        await connection.executeQuery(CompiledQuery.raw("rollback"));
      } catch {}
    };
    return driver;
  }
}
