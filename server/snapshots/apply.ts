import type { HostId } from "@restic-manager/protocol/ids";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import type { Trx } from "../platform/db/schema.ts";
import { protectedBytes, snapshotChanges } from "./changes.ts";
import {
  addRows,
  countParts,
  dropParts,
  hostOf,
  readAll,
  removeRows,
  stagePart,
  takeParts,
  writeTotals,
  type SnapshotsReport,
} from "./store.ts";

/**
 * Takes one part of an agent's snapshot list. The list is swapped in when all its parts are there, in the same transaction;
 * until then the page shows the one before.
 *
 * Reports count in the order in which they come, whatever the agent's clock says: the link delivers each once and in
 * order, while a clock that was put right would make every later list look old. A part that begins another report
 * drops what an unfinished one left. The same report again changes nothing.
 *
 * @returns true when the host's list is a new one: publish `snapshots.changed` and `host.changed` after the commit.
 */
export async function applySnapshotsReport(
  trx: Trx,
  hostId: HostId,
  report: SnapshotsReport,
): Promise<boolean> {
  const host = await hostOf(trx, hostId);
  const takenAt = Date.parse(report.taken_at);
  if (host === undefined || host.snapshots_taken_at === takenAt) return false;
  if (report.part >= report.parts) return false;
  if (report.parts === 1) {
    await dropParts(trx, hostId);
    await swapIn(trx, hostId, report, report.snapshots);
    return true;
  }
  await stagePart(trx, hostId, takenAt, report);
  if ((await countParts(trx, hostId)) < report.parts) return false;
  await swapIn(trx, hostId, report, await takeParts(trx, hostId));
  return true;
}

/** Empties the list of a host whose repository is another one now. */
export async function forgetSnapshots(trx: Trx, hostId: HostId): Promise<void> {
  await dropParts(trx, hostId);
  const stored = await readAll(trx, hostId);
  await removeRows(
    trx,
    hostId,
    stored.map((row) => row.id),
  );
  await writeTotals(trx, hostId, { snapshot_count: 0, snapshots_taken_at: null, protected_bytes: null });
}

async function swapIn(trx: Trx, hostId: HostId, report: SnapshotsReport, listed: Snapshot[]): Promise<void> {
  const stored = await readAll(trx, hostId);
  const { remove, add } = snapshotChanges(stored, listed);
  await removeRows(trx, hostId, remove);
  await addRows(trx, hostId, add);
  await writeTotals(trx, hostId, {
    snapshot_count: stored.length - remove.length + add.length,
    snapshots_taken_at: Date.parse(report.taken_at),
    protected_bytes: protectedBytes(listed),
    repository_id: report.repository_id,
  });
}
