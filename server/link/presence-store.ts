import { sql, type SqlBool } from "kysely";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database, Trx } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import type { StoreTime } from "../platform/db/store-time.ts";
import { turn } from "../platform/turn.ts";
import type { Holder } from "./store.ts";

/** Hosts in one statement that says when they were last heard of. */
const SEEN_AT_ONCE = 500;

/** A host whose connection has ended. */
export interface Gone {
  hostId: HostId;
  lastSeenAt: number;
  /** The connection that ended, or was the last one known. */
  last: Holder;
}

/** Marks hosts offline, unless a connection after the last one has taken them, here or elsewhere. Answers those that are marked. */
export async function writeOffline(trx: Trx, gone: readonly Gone[]): Promise<HostId[]> {
  const inOneOrder = gone.toSorted((one, other) => (one.hostId < other.hostId ? -1 : 1));
  return await askInShapes(inOneOrder, async (part) => {
    const rows = part.map(
      ({ hostId, lastSeenAt, last: { node, connection } }) =>
        sql`(cast(${hostId} as text), cast(${lastSeenAt} as double precision), cast(${node} as text),
          cast(${connection} as double precision))`,
    );
    const marked = await sql<{ id: HostId }>`
      update hosts set online = 0, last_seen_at = gone.column2, connected_since = null
      from (values ${sql.join(rows)}) as gone where hosts.id = gone.column1
        and (link_node is null or (link_node = gone.column3 and link_connection <= gone.column4))
      returning hosts.id as id`.execute(trx);
    return [...new Set(marked.rows.map((row) => row.id))];
  });
}

/** Marks a host online again that others took for gone while its connection here lived. False when it is not ours any more. */
export async function writeOnlineAgain(
  trx: Trx,
  hostId: HostId,
  now: number,
  holder: Holder,
): Promise<boolean> {
  const done = await trx
    .updateTable("hosts")
    .set({ online: 1, last_seen_at: now, connected_since: now })
    .where("id", "=", hostId)
    .where("link_node", "=", holder.node)
    .where("link_connection", "=", holder.connection)
    .where("online", "=", 0)
    .executeTakeFirst();
  return Number(done.numUpdatedRows) === 1;
}

/** Writes down when hosts of this server were last heard of. */
export async function writeSeen(
  db: Database,
  node: string,
  seen: { hostId: HostId; at: number }[],
): Promise<void> {
  for (let from = 0; from < seen.length; from += SEEN_AT_ONCE) {
    const rows = sql.join(
      seen
        .slice(from, from + SEEN_AT_ONCE)
        .map(({ hostId, at }) => sql`(cast(${hostId} as text), cast(${at} as double precision))`),
    );
    await sql`update hosts set last_seen_at = seen.column2 from (values ${rows}) as seen
      where hosts.id = seen.column1 and hosts.link_node = ${node}`.execute(db);
    await turn();
  }
}

/** What the store says of every host whose agent is, or last was, at a server. */
export async function hostsOfNode(db: Database, node: string) {
  return await db
    .selectFrom("hosts")
    .select(["id", "link_connection", "online", "config_version", "schedule_version"])
    .where("link_node", "=", node)
    .execute();
}

/** Which of these hosts there are. */
export async function existing(db: Database, hostIds: HostId[]): Promise<Set<HostId>> {
  if (hostIds.length === 0) return new Set();
  const rows = await db.selectFrom("hosts").select("id").where("id", "in", hostIds).execute();
  return new Set(rows.map((row) => row.id));
}

/** Where the agents of these hosts are; those that are offline are left out. */
export async function nodesOf(db: Database, hostIds: HostId[]): Promise<{ hostId: HostId; node: string }[]> {
  const rows = await db
    .selectFrom("hosts")
    .select(["id", "link_node"])
    .where("id", "in", hostIds)
    .where("online", "=", 1)
    .execute();
  return rows.flatMap((row) => (row.link_node === null ? [] : [{ hostId: row.id, node: row.link_node }]));
}

/**
 * Hosts that count as connected and that `node` has to judge: its own, and those of servers that are dead for longer than their
 * agents need to come to another.
 */
export async function hostsToJudge(db: Database, node: string, time: StoreTime, graceMs: number) {
  return await db
    .selectFrom("hosts")
    .select(["id", "last_seen_at", "link_node", "link_connection"])
    .where("online", "=", 1)
    .where((e) =>
      e.or([
        e("link_node", "is", null),
        e("link_node", "=", node),
        e(
          "link_node",
          "not in",
          e
            .selectFrom("nodes")
            .select("nodes.id")
            .where(sql<SqlBool>`nodes.expires_at > ${time()} - ${sql.lit(graceMs)}`),
        ),
      ]),
    )
    .execute();
}
