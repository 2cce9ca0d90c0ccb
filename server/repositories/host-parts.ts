import type { Host } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import type { Database } from "../platform/db/schema.ts";
import { credentialsView } from "./credentials.ts";
import { repositoryState } from "./state.ts";
import { latestStats } from "./stats.ts";
import { readCredentials } from "./store.ts";

/** What this room adds to a host's page. */
export async function hostPartsOf(
  db: Database,
  hostId: HostId,
): Promise<Pick<Host, "repository" | "credentials" | "stats">> {
  const credentials = await readCredentials(db, hostId);
  return {
    repository: await repositoryState(db, hostId),
    credentials: credentials === undefined ? null : credentialsView(credentials),
    stats: await latestStats(db, hostId),
  };
}
