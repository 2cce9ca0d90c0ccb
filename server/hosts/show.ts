import type { Host } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { activeByHost, hostView, type HostParts, type ProgressOf } from "./host-view.ts";
import { readActiveJobs, readHost, readTags } from "./store.ts";

/** Everything a host's page shows but its lists; undefined when there is no such host. */
export async function showHost(
  db: Database,
  hostId: HostId,
  progressOf: ProgressOf,
  partsOf: (hostId: HostId) => Promise<HostParts>,
): Promise<Host | undefined> {
  const host = await readHost(db, hostId);
  if (host === undefined) return undefined;
  const active = activeByHost(await readActiveJobs(db, [hostId]));
  const tags = (await readTags(db, [hostId])).get(hostId) ?? [];
  return hostView(host, { active: active.get(hostId) ?? null, tags }, progressOf, await partsOf(hostId));
}
