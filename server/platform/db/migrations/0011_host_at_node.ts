import { sql, type Kysely } from "kysely";

/**
 * Whether a host's agent is at a server is asked with each job that is sent. PostgreSQL, which had counted the hosts when none was
 * connected, took the index of a server's hosts for that and read all of them (6 ms of 10,000). With the id in it, either index is right.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`drop index hosts_by_node`.execute(db);
  await sql`create index hosts_by_node on hosts (link_node, id)`.execute(db);
}
