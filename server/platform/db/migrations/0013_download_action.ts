import { sql, type Kysely } from "kysely";

/** Rows of `audit` are rewritten. */
export const changesData = true;

/** Downloads are recorded under the name that others rely on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update audit set action = 'file.downloaded' where action = 'host.download'`.execute(db);
}
