import type { HostId } from "@restic-manager/protocol/ids";
import { DIFF_KEPT } from "@restic-manager/protocol/jobs/diff";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { Trx } from "../platform/db/schema.ts";
import { insertChanges, isComparisonOf } from "./store.ts";

/** Keeps what an agent's comparison found. Past what is kept of one, and for a job that is none of that host's, nothing is. */
export async function recordChanges(
  trx: Trx,
  hostId: HostId,
  { job_id, first, changes }: Extract<DurableMessage, { type: "diff.changes" }>,
): Promise<void> {
  if (first + changes.length > DIFF_KEPT || !(await isComparisonOf(trx, hostId, job_id))) return;
  await insertChanges(trx, job_id, first, changes);
}
