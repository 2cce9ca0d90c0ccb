import { sql, type Kysely } from "kysely";

/** Rows of `hosts` are filled. */
export const changesData = true;

/** The name that a host's snapshots carry, apart from what people call the host. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("hosts")
    .addColumn("snapshot_host", "text", (c) => c.notNull().defaultTo(""))
    .execute();
  await sql`update hosts set snapshot_host = name`.execute(db);
  // Two hosts of one repository with one name would show each other's snapshots.
  await sql`create unique index hosts_by_snapshot_host on hosts (snapshot_host) where snapshot_host <> ''`.execute(
    db,
  );
}
