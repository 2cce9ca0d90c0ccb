import type { Durable } from "@restic-manager/protocol/frame";
import type { Epoch, HostId } from "@restic-manager/protocol/ids";
import { jobKinds } from "@restic-manager/protocol/jobs";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { recordChanges } from "./compare/record.ts";
import { recordJob } from "./jobs/record.ts";
import { jobOver } from "./job-over.ts";
import type { Touched } from "./link/touched.ts";
import type { Trx } from "./platform/db/schema.ts";
import { adoptRepository, applyStats } from "./repositories/stats.ts";
import { recordStarted } from "./jobs/started.ts";
import { recordFire } from "./schedules/fire.ts";
import { applySnapshotsReport, forgetSnapshots } from "./snapshots/apply.ts";

/** Hands a durable message to the room that keeps such things, inside the transaction that also counts it. */
export async function receiveDurable(
  trx: Trx,
  from: { hostId: HostId; epoch: Epoch; now: number },
  { message }: Extract<Durable, { type: "message" }>,
  touched: Touched,
): Promise<void> {
  const { hostId, now } = from;
  switch (message.type) {
    case "snapshots.report":
      if (!(await applySnapshotsReport(trx, hostId, message))) return;
      touched.snapshots.add(hostId);
      touched.hosts.add(hostId);
      return;
    case "repo.stats":
      if (await applyStats(trx, hostId, message, now)) touched.hosts.add(hostId);
      return;
    case "job.finished":
      await recordJob(trx, hostId, message, touched, now);
      for (const next of await jobOver(trx, { host_id: hostId, kind: message.kind }))
        touched.waiting.set(next.id, next.host_id);
      return await noteRepository(trx, from, message, touched);
    case "schedule.fire":
      for (const jobId of await recordFire(trx, recordStarted, from, message))
        touched.jobs.set(jobId, hostId);
      touched.hosts.add(hostId);
      return;
    case "diff.changes":
      // Whoever follows the comparison asks for more with each progress; nothing else changes.
      return await recordChanges(trx, hostId, message);
    case "job.accepted":
    case "job.started":
    case "log.gap":
      return await recordJob(trx, hostId, message, touched, now);
  }
}

/** An `init` job says which repository the host has. When it is another one, what is shown of the old one goes. */
async function noteRepository(
  trx: Trx,
  { hostId, now }: { hostId: HostId; now: number },
  { kind, job_id: jobId, outcome }: Extract<DurableMessage, { type: "job.finished" }>,
  touched: Touched,
): Promise<void> {
  if (kind !== "init" || outcome.state !== "succeeded") return;
  const opened = jobKinds.init.result.safeParse(outcome.result);
  if (!opened.success) return;
  const { repository_id: repositoryId } = opened.data;
  if (!(await adoptRepository(trx, hostId, { repositoryId, jobId, now }))) return;
  await forgetSnapshots(trx, hostId);
  touched.snapshots.add(hostId);
  touched.hosts.add(hostId);
}
