import type { Host } from "@restic-manager/protocol/api/hosts";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { instant } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { addStats, lockHost, readLatestStats, readOrderedAt, removeStats, writeRepository } from "./store.ts";

export type StatsMessage = Extract<DurableMessage, { type: "repo.stats" }>;

/**
 * Keeps what an agent measured. The fleet page shows the one that came last, whatever the agent's clock says; a clock that runs
 * ahead must not make this measurement the latest for ever.
 *
 * @param now the server's clock, in milliseconds since 1970.
 * @returns true when it was stored: publish `host.changed` after the commit.
 */
export async function applyStats(
  trx: Trx,
  hostId: HostId,
  message: StatsMessage,
  now: number,
): Promise<boolean> {
  if ((await lockHost(trx, hostId)) === undefined) return false;
  await addStats(trx, {
    host_id: hostId,
    taken_at: Math.min(Date.parse(message.taken_at), now),
    total_size: message.total_size,
    total_uncompressed_size: message.total_uncompressed_size ?? null,
    blob_count: message.blob_count ?? null,
    snapshots_count: message.snapshots_count,
  });
  await writeRepository(trx, hostId, {
    repository_id: message.repository_id,
    stored_bytes: message.total_size,
  });
  return true;
}

/**
 * Notes which repository a host's `init` job opened. Sizes of another one and its trouble are forgotten, and what jobs say that were
 * ordered before this one counts no more.
 *
 * @param now the server's clock, for an `init` job that this server has forgotten.
 * @returns true when the host had another repository before: its snapshot list is another one's too.
 */
export async function adoptRepository(
  trx: Trx,
  hostId: HostId,
  { repositoryId, jobId, now }: { repositoryId: string; jobId: JobId; now: number },
): Promise<boolean> {
  const host = await lockHost(trx, hostId);
  if (host === undefined || host.repository_id === repositoryId) return false;
  const moved = host.repository_id !== null;
  if (moved) await removeStats(trx, hostId);
  const since = moved ? ((await readOrderedAt(trx, hostId, jobId)) ?? now) : undefined;
  await writeRepository(trx, hostId, {
    repository_id: repositoryId,
    ...(since === undefined ? {} : { repository_since: since, stored_bytes: null, upkeep_trouble: null }),
  });
  return moved;
}

/** The last sizes the agent reported. */
export async function latestStats(db: Database, hostId: HostId): Promise<Host["stats"]> {
  const row = await readLatestStats(db, hostId);
  if (row === undefined) return null;
  return {
    taken_at: instant(row.taken_at),
    total_size: row.total_size,
    total_uncompressed_size: row.total_uncompressed_size,
  };
}
