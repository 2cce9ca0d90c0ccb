import type { Kysely } from "kysely";
import { columnTypes } from "../dialect.ts";

/** What a job that did not succeed had done by then, and what comparisons of snapshots found. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { number } = columnTypes(db);
  await db.schema.alterTable("jobs").addColumn("left_behind", "text").execute();
  await db.schema
    .createTable("diff_changes")
    .addColumn("job_id", "text", (c) => c.notNull().references("jobs.id").onDelete("cascade"))
    .addColumn("n", number, (c) => c.notNull())
    .addColumn("path", "text", (c) => c.notNull())
    .addColumn("kind", "text", (c) => c.notNull())
    .addColumn("is_folder", number, (c) => c.notNull())
    .addColumn("suspicious", number, (c) => c.notNull())
    .addColumn("size_before", number)
    .addColumn("size_after", number)
    .addPrimaryKeyConstraint("diff_changes_key", ["job_id", "n"])
    .execute();
}
