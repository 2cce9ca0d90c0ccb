import type { HostsQuery, HostStatus } from "@restic-manager/protocol/api/hosts";
import type { HostList } from "../queries.ts";
import { hostStatuses } from "../ui/state-words.ts";

type HostSort = HostsQuery["sort"];
/** By what the server can order hosts. */
const SORTS = [
  "status",
  "name",
  "os",
  "last_backup",
  "protected",
  "snapshots",
] as const satisfies readonly HostSort[];

/** What the fleet's address says: filter, order and search. What is left out is as usual. */
export interface FleetSearch {
  search?: string;
  status?: HostStatus;
  backed_up?: "24h";
  tag?: string;
  sort?: HostSort;
  order?: "desc";
}

/** Reads the address; what it does not know it leaves out, so that an old bookmark still opens the fleet. */
export function readFleetSearch(raw: Record<string, unknown>): FleetSearch {
  const status = hostStatuses.find((known) => known === raw["status"]);
  const sort = SORTS.find((known) => known === raw["sort"]);
  const search = typeof raw["search"] === "string" ? raw["search"].slice(0, 253) : "";
  const tag = typeof raw["tag"] === "string" ? raw["tag"].trim().toLowerCase().slice(0, 64) : "";
  return {
    ...(search === "" ? {} : { search }),
    ...(status === undefined ? {} : { status }),
    ...(raw["backed_up"] === "24h" ? { backed_up: "24h" as const } : {}),
    ...(tag === "" ? {} : { tag }),
    ...(sort === undefined || sort === "status" ? {} : { sort }),
    ...(raw["order"] === "desc" ? { order: "desc" as const } : {}),
  };
}

/** The list of hosts that the address asks for. */
export function listOf({ search, ...rest }: FleetSearch): HostList {
  const wanted = search?.trim() ?? "";
  return { sort: "status", order: "asc", ...rest, ...(wanted === "" ? {} : { search: wanted }) };
}

/** Whether some hosts are hidden. */
export function isFiltered({ search, status, backed_up, tag }: FleetSearch): boolean {
  return search !== undefined || status !== undefined || backed_up !== undefined || tag !== undefined;
}

/** The fleet's address with this search. */
export function fleetHref(search: FleetSearch): string {
  const given = new URLSearchParams({ ...search }).toString();
  return given === "" ? "/" : `/?${given}`;
}
