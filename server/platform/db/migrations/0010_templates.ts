import type { Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** Tags of hosts, policy templates and who follows them, and versions by which two editors notice each other. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  const create = db.schema;
  for (const table of ["source_groups", "schedules"]) {
    const edited = create.alterTable(table);
    await edited.addColumn("version", number, (c) => c.notNull().defaultTo(1)).execute();
    await edited.addColumn("changed_at", number).execute();
    await edited.addColumn("changed_by", "text").execute();
  }

  await create
    .createTable("host_tags")
    .addColumn("host_id", "text", (c) => c.notNull().references("hosts.id").onDelete("cascade"))
    .addColumn("tag", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("host_tags_key", ["host_id", "tag"])
    .execute();
  await create.createIndex("host_tags_by_tag").on("host_tags").columns(["tag", "host_id"]).execute();

  await create
    .createTable("policy_templates")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("name_key", "text", (c) => c.notNull().unique())
    .addColumn("content", "text", (c) => c.notNull())
    .addColumn("version", number, (c) => c.notNull())
    .addColumn("created_at", number, (c) => c.notNull())
    .addColumn("changed_at", number, (c) => c.notNull())
    .addColumn("changed_by", "text", (c) => c.notNull())
    .execute();
  await create
    .createTable("template_hosts")
    .addColumn("host_id", "text", (c) => c.primaryKey().references("hosts.id").onDelete("cascade"))
    .addColumn("template_id", "text", (c) =>
      c.notNull().references("policy_templates.id").onDelete("cascade"),
    )
    .addColumn("version", number, (c) => c.notNull())
    .addColumn("others", "text", (c) => c.notNull())
    .addColumn("groups", "text", (c) => c.notNull())
    .addColumn("schedules", "text", (c) => c.notNull())
    .addColumn("applied_at", number, (c) => c.notNull())
    .addColumn("applied_by", "text", (c) => c.notNull())
    .execute();
  await create
    .createIndex("template_hosts_by_template")
    .on("template_hosts")
    .columns(["template_id", "host_id"])
    .execute();
}
