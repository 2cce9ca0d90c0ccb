import type { WaitsOn } from "@restic-manager/protocol/api/jobs";
import type { JobId } from "@restic-manager/protocol/ids";
import { isExclusive } from "@restic-manager/protocol/jobs/exclusive";
import type { Database, JobRecord } from "../platform/db/schema.ts";

/** For whom queued jobs wait that need a repository for themselves while another has its turn there. */
export async function turnHolders(db: Database, jobs: readonly JobRecord[]): Promise<Map<JobId, WaitsOn>> {
  const found = new Map<JobId, WaitsOn>();
  for (const job of jobs) {
    if (job.state !== "queued" || job.accepted_at !== null || !isExclusive(job.kind)) continue;
    // A preview takes no lock.
    if (job.input.includes('"dry_run":true')) continue;
    const holder = await db
      .selectFrom("repository_turns")
      .innerJoin("jobs", "jobs.id", "repository_turns.job_id")
      .innerJoin("hosts", "hosts.id", "jobs.host_id")
      .select(["jobs.id", "jobs.kind", "jobs.host_id", "hosts.name"])
      .where("jobs.finished_at", "is", null)
      .where("repository_turns.repository", "=", (e) =>
        e
          .selectFrom("hosts as mine")
          .select((m) => m.fn.coalesce("mine.repository_id", "mine.id").as("repository"))
          .where("mine.id", "=", job.host_id),
      )
      .executeTakeFirst();
    if (holder === undefined || holder.id === job.id) continue;
    const { id: job_id, kind, host_id: id, name } = holder;
    found.set(job.id, { job_id, kind, host: { id, name } });
  }
  return found;
}
