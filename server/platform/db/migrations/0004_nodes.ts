import type { Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** Many servers on one database: who they are, what each of them holds, and which one has a host's agent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  await db.schema
    .createTable("nodes")
    .addColumn("id", "text", (c) => c.primaryKey().notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("started_at", number, (c) => c.notNull())
    .addColumn("expires_at", number, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("leases")
    .addColumn("name", "text", (c) => c.primaryKey().notNull())
    .addColumn("node_id", "text", (c) => c.notNull())
    .addColumn("expires_at", number, (c) => c.notNull())
    .execute();
  await db.schema.alterTable("hosts").addColumn("link_node", "text").execute();
  await db.schema.alterTable("hosts").addColumn("link_connection", number).execute();
  await db.schema.createIndex("hosts_by_node").on("hosts").columns(["link_node"]).execute();
  await db.schema.alterTable("link_epochs").addColumn("held_by", "text").execute();
}
