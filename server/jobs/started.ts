import type { JobId } from "@restic-manager/protocol/ids";
import type { NewJobRecord, Trx } from "../platform/db/schema.ts";

/** Writes jobs that an agent has started by itself. One that is known, whosever it is, is left as it is; returns the new ones. */
export async function recordStarted(trx: Trx, jobs: NewJobRecord[]): Promise<JobId[]> {
  if (jobs.length === 0) return [];
  const made = await trx
    .insertInto("jobs")
    .values(jobs)
    .onConflict((conflict) => conflict.column("id").doNothing())
    .returning("id")
    .execute();
  return made.map((row) => row.id);
}
