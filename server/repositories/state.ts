import type { RepositoryState } from "@restic-manager/protocol/api/hosts";
import type { HostId } from "@restic-manager/protocol/ids";
import { JobError } from "@restic-manager/protocol/job-error";
import { jobKinds } from "@restic-manager/protocol/jobs";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { readCredentials, readLatestInit, type InitRow } from "./store.ts";

/** How the opening of a host's repository stands. */
export async function repositoryState(db: Database, hostId: HostId): Promise<RepositoryState> {
  const credentials = await readCredentials(db, hostId);
  return stateOf(credentials !== undefined, await readLatestInit(db, hostId));
}

/** Reads the latest `init` job that was not cancelled as one word. */
export function stateOf(hasCredentials: boolean, init: InitRow | undefined): RepositoryState {
  if (!hasCredentials) return { state: "no_credentials" };
  if (init === undefined) return { state: "waiting", job_id: null };
  switch (init.state) {
    case "succeeded": {
      const { repository_id, created } = jobKinds.init.result.parse(JSON.parse(init.result ?? "null"));
      return { state: "ready", repository_id, created, since: instant(init.finished_at ?? 0) };
    }
    case "failed": {
      const error = JobError.parse(JSON.parse(init.error ?? "null"));
      return { state: "failed", job_id: init.id, error };
    }
    case "queued":
    case "running":
      return { state: "waiting", job_id: init.id };
    case "cancelled":
      return { state: "waiting", job_id: null };
  }
}
