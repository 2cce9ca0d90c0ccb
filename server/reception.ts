import type { Durable } from "@restic-manager/protocol/frame";
import type { HostId } from "@restic-manager/protocol/ids";
import { recordJob, recordLog } from "./jobs/record.ts";
import type { Touched } from "./link/touched.ts";
import type { Trx } from "./platform/db/schema.ts";
import { applyStats } from "./repositories/stats.ts";
import { applySnapshotsReport } from "./snapshots/apply.ts";

/** Hands a durable frame to the room that keeps such things, inside the transaction that also counts it. */
export async function receiveDurable(
  trx: Trx,
  from: { hostId: HostId },
  durable: Durable,
  touched: Touched,
): Promise<void> {
  const { hostId } = from;
  if (durable.type === "log") return await recordLog(trx, hostId, durable.header, durable.chunk, touched);
  const { message } = durable;
  switch (message.type) {
    case "snapshots.report":
      if (!(await applySnapshotsReport(trx, hostId, message))) return;
      touched.snapshots.add(hostId);
      touched.hosts.add(hostId);
      return;
    case "repo.stats":
      if (await applyStats(trx, hostId, message)) touched.hosts.add(hostId);
      return;
    case "job.accepted":
    case "job.started":
    case "job.finished":
    case "log.gap":
      return await recordJob(trx, hostId, message, touched);
  }
}
