import { sql, type SqlBool } from "kysely";
import type { StoreTime } from "./db/store-time.ts";
import type { Database } from "./db/schema.ts";

/** Says that a server is there for `ttlMs` more. False when it had not been written down, or has been struck out since. */
export async function beat(
  db: Database,
  time: StoreTime,
  node: { id: string; name: string; startedAt: number },
  ttlMs: number,
): Promise<boolean> {
  const expires_at = sql<number>`${time()} + ${sql.lit(ttlMs)}`;
  const renewed = await db
    .updateTable("nodes")
    .set({ expires_at })
    .where("id", "=", node.id)
    .executeTakeFirst();
  if (Number(renewed.numUpdatedRows) === 1) return true;
  await db
    .insertInto("nodes")
    .values({ id: node.id, name: node.name, started_at: node.startedAt, expires_at })
    .onConflict((c) => c.column("id").doUpdateSet({ expires_at }))
    .execute();
  return false;
}

/** Servers whose lease still runs. */
export async function liveNodes(db: Database, time: StoreTime): Promise<string[]> {
  const rows = await db
    .selectFrom("nodes")
    .select("id")
    .where(sql<SqlBool>`expires_at > ${time()}`)
    .orderBy("id")
    .execute();
  return rows.map((row) => row.id);
}

/** Strikes out servers whose lease ended `graceMs` ago. */
export async function forgetNodes(db: Database, time: StoreTime, graceMs: number): Promise<void> {
  await db
    .deleteFrom("nodes")
    .where(sql<SqlBool>`expires_at <= ${time()} - ${sql.lit(graceMs)}`)
    .execute();
}

/** Ends a server's own lease and all it holds, so that the others need not wait. */
export async function leave(db: Database, time: StoreTime, node: string): Promise<void> {
  await db.deleteFrom("leases").where("node_id", "=", node).execute();
  await db
    .updateTable("nodes")
    .set({ expires_at: sql<number>`${time()}` })
    .where("id", "=", node)
    .execute();
}

/** Takes or renews leases that are free, over, or ours already; one statement. Gives those that are ours now. */
export async function take(
  db: Database,
  time: StoreTime,
  names: readonly string[],
  node: string,
  ttlMs: number,
): Promise<string[]> {
  if (names.length === 0) return [];
  const expires_at = sql<number>`${time()} + ${sql.lit(ttlMs)}`;
  const rows = await db
    .insertInto("leases")
    .values(names.toSorted().map((name) => ({ name, node_id: node, expires_at })))
    .onConflict((c) =>
      c
        .column("name")
        .doUpdateSet({ node_id: node, expires_at })
        .where((e) => e.or([e("leases.node_id", "=", node), sql<SqlBool>`leases.expires_at <= ${time()}`])),
    )
    .returning("name")
    .execute();
  return rows.map((row) => row.name);
}
