import { sql, type RawBuilder, type SqlBool } from "kysely";
import { HOST_STATUSES, type HostStatus, type HostsQuery } from "@restic-manager/protocol/api/hosts";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobKind } from "@restic-manager/protocol/jobs";
import { commonly } from "../platform/db/dialect.ts";
import type { Database, HostRecord, Trx } from "../platform/db/schema.ts";

/** The last row of a page: its sort value and its name, which makes it unique. */
export interface Place {
  key: string | number;
  name: string;
}
export interface HostFilter {
  /** Lower case; any part of a name. */
  search: string | null;
  status: HostStatus | null;
  /** Hosts whose last success is not before this instant. */
  successSince: number | null;
}
export interface ActiveJob {
  id: JobId;
  host_id: HostId;
  kind: JobKind;
  state: "queued" | "running";
}

/** What each sort looks at. A host without the fact sorts before those that have it. */
const SORT_KEYS: Record<HostsQuery["sort"], RawBuilder<string | number>> = {
  status: sql`status_rank`,
  name: sql`name_key`,
  os: sql`os_name`,
  last_backup: sql`coalesce(last_backup_at, -1)`,
  protected: sql`coalesce(protected_bytes, -1)`,
  snapshots: sql`snapshot_count`,
};

/** More hosts than this are not looked up and sorted for the sake of one page. */
const FEW = 1_000;

/** A page of hosts and the sort value of each. Both sort value and name go in `order`. `matching`: how many hosts pass the filter. */
export async function readHosts(
  db: Database,
  filter: HostFilter,
  { sort, order, limit }: Pick<HostsQuery, "sort" | "order" | "limit">,
  after: Place | null,
  matching: number,
): Promise<(HostRecord & { sort_key: string | number })[]> {
  const key = SORT_KEYS[sort];
  let query = db.selectFrom("hosts").selectAll().select(key.as("sort_key"));
  const column = matching > FEW ? (name: string) => commonly(db, name) : (name: string) => sql.ref(name);
  for (const condition of conditions(filter, column)) query = query.where(condition);
  if (after !== null)
    query = query.where(
      sql<SqlBool>`(${key}, name_key) ${sql.raw(order === "asc" ? ">" : "<")} (${after.key}, ${after.name})`,
    );
  return query.orderBy(key, order).orderBy("name_key", order).limit(limit).execute();
}

export async function countHosts(db: Database, filter: HostFilter): Promise<number> {
  let query = db.selectFrom("hosts").select((eb) => eb.fn.countAll().as("count"));
  for (const condition of conditions(filter)) query = query.where(condition);
  return Number((await query.executeTakeFirstOrThrow()).count);
}

/** Hosts per place in `HOST_STATUSES`; read from an index alone. */
export async function countByRank(db: Database, search: string | null): Promise<Map<number, number>> {
  let query = db
    .selectFrom("hosts")
    .select(["status_rank", (eb) => eb.fn.countAll().as("count")])
    .groupBy("status_rank");
  for (const condition of conditions({ search, status: null, successSince: null }))
    query = query.where(condition);
  return new Map((await query.execute()).map((row) => [row.status_rank, Number(row.count)]));
}

function conditions(
  { search, status, successSince }: HostFilter,
  column: (name: string) => RawBuilder<unknown> = (name) => sql.ref(name),
) {
  const all = [];
  if (search !== null) all.push(sql<SqlBool>`name_key like ${`%${escaped(search)}%`} escape '\\'`);
  // By its place and not by its name: so one index both finds the hosts and holds them in order.
  if (status !== null) all.push(sql<SqlBool>`${column("status_rank")} = ${HOST_STATUSES.indexOf(status)}`);
  if (successSince !== null) all.push(sql<SqlBool>`${column("last_success_at")} >= ${successSince}`);
  return all;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\%_]/g, String.raw`\$&`);
}

export async function readHost(db: Database, hostId: HostId): Promise<HostRecord | undefined> {
  return db.selectFrom("hosts").selectAll().where("id", "=", hostId).executeTakeFirst();
}

export async function readHostsById(db: Database, ids: readonly HostId[]): Promise<HostRecord[]> {
  if (ids.length === 0) return [];
  return db.selectFrom("hosts").selectAll().where("id", "in", ids).execute();
}

/** What runs or waits at these hosts, oldest first. */
export async function readActiveJobs(db: Database, ids: readonly HostId[]): Promise<ActiveJob[]> {
  if (ids.length === 0) return [];
  const rows = await selectActiveJobs(db, ids).execute();
  return rows.map((row) => ({ ...row, state: row.state === "running" ? "running" : "queued" }));
}

/** The question of `readActiveJobs`, for its test to see how the store answers it. */
export function selectActiveJobs(db: Database, ids: readonly HostId[]) {
  return (
    db
      .selectFrom("jobs")
      .select(["id", "host_id", "kind", "state"])
      // In the text, not as parameters: only so is the partial index found.
      .where(sql<SqlBool>`state in ('queued', 'running')`)
      .where("host_id", "in", ids)
      .orderBy("host_id")
      .orderBy("created_at")
  );
}

/** @throws a unique violation (`isUniqueViolation`) when another host has the name. */
export async function renameHost(trx: Trx, hostId: HostId, name: string): Promise<void> {
  await trx
    .updateTable("hosts")
    .set({ name, name_key: nameKey(name) })
    .where("id", "=", hostId)
    .execute();
}

/** Takes with it all that belongs to the host. */
export async function removeHost(trx: Trx, hostId: HostId): Promise<HostRecord | undefined> {
  return trx.deleteFrom("hosts").where("id", "=", hostId).returningAll().executeTakeFirst();
}

/** What uniqueness and search look at. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}
