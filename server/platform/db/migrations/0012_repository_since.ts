import type { Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** Since when a host has the repository that it has: older jobs tell of another one. Null where there was no other. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  await db.schema.alterTable("hosts").addColumn("repository_since", number).execute();
}
