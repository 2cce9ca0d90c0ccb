import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";
import { waitingInVain } from "./store.ts";

/** A person's order for a machine that is away waits so long. */
const WAITS_MS = 24 * 3_600_000;

export interface GiveUpParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  /** queued and never sent → failed with the error, or cancelled. False when it was sent or ended meanwhile. */
  endWaiting: (trx: Trx, id: JobId, at: number, error: JobError | null) => Promise<boolean>;
  refreshHost: (trx: Trx, hostId: HostId) => Promise<unknown>;
  /** Does what else follows from the end of a job, and gives those that waited for it. */
  jobOver: (trx: Trx, job: Pick<JobRecord, "host_id" | "kind">) => Promise<{ id: JobId; host_id: HostId }[]>;
}

const SYSTEM = { kind: "system" as const, id: null, name: "restic-manager", address: null };

/**
 * Ends maintenance that waits for a machine that is away: at once what the server ordered by itself, since it orders that again when the
 * machine is back, and after a day what a person did. May be done twice at once.
 */
export async function giveUpUpkeep(parts: GiveUpParts): Promise<void> {
  const { db, clock, bus, audit, endWaiting, refreshHost, jobOver } = parts;
  const now = clock.now();
  for (const job of await waitingInVain(db, now - WAITS_MS)) {
    const next = await db.transaction().execute(async (trx) => {
      if (!(await endWaiting(trx, job.id, now, null))) return undefined;
      await audit.record(trx, {
        actor: SYSTEM,
        action: "pending_run.abandoned",
        target: { kind: "host", id: job.host_id, name: job.host_name },
        detail: { job_id: job.id, kind: job.kind, why: "host_offline" },
      });
      const following = await jobOver(trx, job);
      await refreshHost(trx, job.host_id);
      return following;
    });
    if (next === undefined) continue;
    bus.publish("job.changed", { jobId: job.id, hostId: job.host_id });
    bus.publish("host.changed", { hostId: job.host_id });
    for (const { id: jobId, host_id: hostId } of next) bus.publish("job.queued", { jobId, hostId });
  }
}
