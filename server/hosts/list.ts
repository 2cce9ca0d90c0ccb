import { z } from "zod";
import {
  HOST_SORTS,
  HOST_STATUSES,
  HostStatus,
  type HostRow,
  type HostsPage,
  type HostsQuery,
} from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database, HostRecord } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { activeByHost, hostRow, type ProgressOf } from "./host-view.ts";
import {
  countByRank,
  countHosts,
  nameKey,
  readActiveJobs,
  readHosts,
  readHostsById,
  type Place,
} from "./store.ts";

const DAY_MS = 24 * 3600_000;

/**
 * One page of the fleet table.
 *
 * @param now milliseconds since 1970.
 * @throws ApiProblem `validation_failed` when the cursor belongs to another order.
 */
export async function listHosts(
  db: Database,
  query: HostsQuery,
  now: number,
  progressOf: ProgressOf,
): Promise<HostsPage> {
  const after = query.cursor === undefined ? null : readCursor(query.cursor, query);
  const search = query.search === undefined || query.search === "" ? null : nameKey(query.search);
  const filter = {
    search,
    status: query.status ?? null,
    successSince: query.backed_up === undefined ? null : now - DAY_MS,
  };
  const ranks = await countByRank(db, search);
  const total = filter.successSince === null ? totalOf(ranks, query.status) : await countHosts(db, filter);
  const rows = await readHosts(db, filter, { ...query, limit: query.limit + 1 }, after, total);
  const shown = rows.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    items: await withActiveJobs(db, shown, progressOf),
    next_cursor:
      rows.length > query.limit && last !== undefined
        ? writeCursor(query, { key: last.sort_key, name: last.name_key })
        : null,
    total,
    counts: countsByStatus(ranks),
  };
}

/** Rows of some hosts, in any order; those that are gone are left out. */
export async function viewHosts(
  db: Database,
  ids: readonly HostId[],
  progressOf: ProgressOf,
): Promise<HostRow[]> {
  return withActiveJobs(db, await readHostsById(db, ids), progressOf);
}

/** Every status with the number of hosts that have it, zero included. */
export function countsByStatus(ranks: Map<number, number>): Record<HostStatus, number> {
  return z
    .record(HostStatus, z.number())
    .parse(Object.fromEntries(HOST_STATUSES.map((status, rank) => [status, ranks.get(rank) ?? 0])));
}

function totalOf(ranks: Map<number, number>, status: HostStatus | undefined): number {
  if (status !== undefined) return ranks.get(HOST_STATUSES.indexOf(status)) ?? 0;
  return [...ranks.values()].reduce((sum, count) => sum + count, 0);
}

async function withActiveJobs(db: Database, hosts: HostRecord[], progressOf: ProgressOf): Promise<HostRow[]> {
  const jobs = await readActiveJobs(
    db,
    hosts.map((host) => host.id),
  );
  const active = activeByHost(jobs);
  return hosts.map((host) => hostRow(host, active.get(host.id) ?? null, progressOf));
}

const Cursor = z.tuple([
  z.enum(HOST_SORTS),
  z.enum(["asc", "desc"]),
  z.union([z.string(), z.number()]),
  z.string(),
]);

function writeCursor({ sort, order }: HostsQuery, place: Place): string {
  return Buffer.from(JSON.stringify([sort, order, place.key, place.name])).toString("base64url");
}

function readCursor(cursor: string, query: HostsQuery): Place {
  const [sort, order, key, name] = decode(cursor) ?? [];
  const kind = query.sort === "name" || query.sort === "os" ? "string" : "number";
  if (
    sort !== query.sort ||
    order !== query.order ||
    key === undefined ||
    name === undefined ||
    typeof key !== kind
  )
    throw new ApiProblem("validation_failed", "cursor: belongs to another list", {
      fields: { cursor: "belongs to another list" },
    });
  return { key, name };
}

function decode(cursor: string): z.infer<typeof Cursor> | undefined {
  try {
    return Cursor.safeParse(JSON.parse(Buffer.from(cursor, "base64url").toString())).data;
  } catch {
    return undefined;
  }
}
