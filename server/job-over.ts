import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobKind } from "@restic-manager/protocol/jobs";
import { isExclusive } from "@restic-manager/protocol/jobs/exclusive";
import { waitingForTurn } from "./link/turns.ts";
import { noteTrouble } from "./maintenance/trouble.ts";
import type { Trx } from "./platform/db/schema.ts";

/**
 * What follows from the end of a job, whoever ended it, in the same transaction and before its host is refreshed: a host's trouble
 * with its repository, and whose turn it is there. Gives the jobs that waited for that, to be delivered after the commit.
 */
export async function jobOver(
  trx: Trx,
  { host_id, kind }: { host_id: HostId; kind: JobKind },
): Promise<{ id: JobId; host_id: HostId }[]> {
  if (!isExclusive(kind)) return [];
  await noteTrouble(trx, host_id);
  return await waitingForTurn(trx, host_id);
}
