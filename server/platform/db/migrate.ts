import { chmodSync, renameSync, rmSync } from "node:fs";
import { sql, type Kysely } from "kysely";
import { Migrator } from "kysely/migration";
import type { ReleaseMigration } from "./migrations.ts";

/** The tables could not be brought up to date; the message says which step, and what to do. */
export class MigrationError extends Error {
  override name = "MigrationError";
}

/**
 * Brings the tables up to date, each step in a transaction of its own. Two servers that start at once do not disturb each
 * other.
 *
 * @param file the SQLite file: copied to `<file>.before-<step>` before a step that changes data, and the copy is kept.
 * @returns the steps that ran.
 * @throws MigrationError; what ran before it stays, the failed step leaves nothing.
 */
export async function migrate<Tables>(
  db: Kysely<Tables>,
  migrations: Readonly<Record<string, ReleaseMigration>>,
  file: string | null,
): Promise<string[]> {
  const done: string[] = [];
  const existed = (await appliedSteps(db)).length > 0;
  const provider = { getMigrations: async () => ({ ...migrations }) };
  const migrator = new Migrator({ db, provider });
  for (;;) {
    const [known, applied] = [Object.keys(migrations).toSorted(), await appliedSteps(db)];
    const newer = applied.find((name) => !known.includes(name));
    if (newer !== undefined)
      throw new MigrationError(
        `the database was written by a newer release of restic-manager (it has step ${newer}): start that release, ` +
          "or bring back a copy of the database from before the update",
      );
    const next = known.find((name) => !applied.includes(name));
    if (next === undefined) return done;
    if (file !== null && existed && migrations[next]?.changesData === true)
      await copyFile(db, `${file}.before-${next}`);
    const { error, results } = await migrator.migrateUp();
    if (error !== undefined)
      throw new MigrationError(
        `step ${next} of the database's update failed and was undone: ${words(error)}`,
        {
          cause: error,
        },
      );
    for (const result of results ?? []) if (result.status === "Success") done.push(result.migrationName);
  }
}

async function appliedSteps<Tables>(db: Kysely<Tables>): Promise<string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map((row) => row.name);
}

/** Whole or not at all: an earlier copy with this name is from an attempt that was undone. */
async function copyFile<Tables>(db: Kysely<Tables>, target: string): Promise<void> {
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  await sql`vacuum into ${partial}`.execute(db);
  chmodSync(partial, 0o600);
  renameSync(partial, target);
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
