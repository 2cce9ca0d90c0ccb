import type { Durable } from "@restic-manager/protocol/frame";
import type { Epoch, HostId } from "@restic-manager/protocol/ids";
import { jobKinds, type JobKind } from "@restic-manager/protocol/jobs";
import { EXCLUSIVE_KINDS } from "@restic-manager/protocol/jobs/exclusive";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { recordChanges } from "./compare/record.ts";
import { recordJob } from "./jobs/record.ts";
import { waitingForTurn } from "./link/turns.ts";
import { noteTrouble } from "./maintenance/trouble.ts";
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
      if (isExclusive(message.kind)) {
        for (const next of await waitingForTurn(trx, hostId)) touched.waiting.set(next.id, next.host_id);
        await noteTrouble(trx, hostId);
      }
      return await noteRepository(trx, hostId, message, touched);
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

function isExclusive(kind: JobKind): boolean {
  return EXCLUSIVE_KINDS.some((one) => one === kind);
}

/** An `init` job says which repository the host has. When it is another one, what is shown of the old one goes. */
async function noteRepository(
  trx: Trx,
  hostId: HostId,
  { kind, outcome }: Extract<DurableMessage, { type: "job.finished" }>,
  touched: Touched,
): Promise<void> {
  if (kind !== "init" || outcome.state !== "succeeded") return;
  const opened = jobKinds.init.result.safeParse(outcome.result);
  if (!opened.success || !(await adoptRepository(trx, hostId, opened.data.repository_id))) return;
  await forgetSnapshots(trx, hostId);
  touched.snapshots.add(hostId);
  touched.hosts.add(hostId);
}
