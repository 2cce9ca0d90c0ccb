import { sql, Kysely } from "kysely";
import { migrate } from "./migrate.ts";
import { MIGRATIONS, type ReleaseMigration } from "./migrations.ts";
import { postgresDialect } from "./postgres.ts";
import type { Database, Tables } from "./schema.ts";
import { openSqliteFile, sqliteDialect } from "./sqlite.ts";

/** An open database with its tables up to date. */
export interface OpenStore {
  db: Database;
  kind: "sqlite" | "postgres";
  /** Steps of the tables' history that this start ran. */
  migrated: string[];
  /** Reads one row; throws what the store throws. For `/readyz`. */
  probe(): Promise<void>;
  /** Waits for nothing: end what uses it first. */
  close(): Promise<void>;
}

/** The address of a database cannot be understood. */
export class DatabaseUrlError extends Error {
  override name = "DatabaseUrlError";
}

/**
 * Opens `sqlite:/path/to/file` or `postgres://user@host/name` and brings its tables up to date.
 *
 * @param migrations the tables' history; tests give their own.
 * @throws DatabaseUrlError, MigrationError, or the database's own error (see `storeFailure`).
 */
export async function openDatabase(
  url: string,
  migrations: Readonly<Record<string, ReleaseMigration>> = MIGRATIONS,
): Promise<OpenStore> {
  const { kind, dialect, file } = dialectOf(url);
  const db = new Kysely<Tables>({ dialect });
  const close = () => db.destroy();
  try {
    const migrated = await migrate(db, migrations, file);
    return {
      db,
      kind,
      migrated,
      close,
      async probe() {
        await sql`select 1`.execute(db);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function dialectOf(url: string) {
  if (url.startsWith("sqlite:")) {
    const file = url.slice("sqlite:".length);
    if (!file.startsWith("/"))
      throw new DatabaseUrlError(`${url} names no file: write sqlite: and an absolute path`);
    return { kind: "sqlite", dialect: sqliteDialect(openSqliteFile(file)), file } as const;
  }
  if (/^postgres(ql)?:\/\//.test(url))
    return { kind: "postgres", dialect: postgresDialect(url), file: null } as const;
  throw new DatabaseUrlError("the database's address must begin with sqlite:/ or postgres://");
}
