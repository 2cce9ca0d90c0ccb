import {
  MOST_SIZE_POINTS,
  type RepositoryPage,
  type SizePoint,
  type TaggedSnapshots,
} from "@restic-manager/protocol/api/repository-page";
import type { HostId } from "@restic-manager/protocol/ids";
import { Snapshot } from "@restic-manager/protocol/snapshot";
import { instant } from "../platform/clock.ts";
import type { Database, Tables } from "../platform/db/schema.ts";
import type { Seal } from "../platform/seal.ts";
import { viewAdmin } from "../repositories/admin.ts";
import { credentialsView } from "../repositories/credentials.ts";
import { repositoryState } from "../repositories/state.ts";
import { readCredentials, readLatestStats } from "../repositories/store.ts";
import { readAppendOnly } from "./append-only.ts";
import { lockStatus, type Witness } from "./lock-status.ts";
import { runView } from "./run-view.ts";
import {
  activeJobs,
  endedUpkeep,
  everydayDeletions,
  hostsOfRepository,
  newestRun,
  readSizes,
  readSnapshotBodies,
  turnHolder,
  type UpkeepHost,
} from "./store.ts";
import { runNow, showMaintenance } from "./view.ts";

const DAY_MS = 86_400_000;
/** Jobs that are asked what they know of locks. */
const WITNESSES = 30;

/** All that a repository's page shows, from what agents reported; undefined when there is no such host. */
export async function repositoryPage(
  { db, seal }: { db: Database; seal: Seal },
  hostId: HostId,
  now: number,
): Promise<RepositoryPage | undefined> {
  const upkeep = await showMaintenance(db, hostId, now);
  if (upkeep === undefined) return undefined;
  const { host, facts, view } = upkeep;
  const credentials = await readCredentials(db, hostId);
  const shared = host.repository_id === null ? [] : await hostsOfRepository(db, host.repository_id, hostId);
  const deletions = readAppendOnly(await everydayDeletions(db, [hostId]));
  const ended = await endedUpkeep(db, [hostId, ...shared.map((other) => other.id)], WITNESSES);
  const size = await readLatestStats(db, hostId);
  const holder = await turnHolder(db, host.repository_id ?? hostId);
  const unlock = await newestRun(db, hostId, "unlock", "any");
  return {
    host: { id: hostId, name: host.name, online: host.online === 1 },
    state: await repositoryState(db, hostId),
    repository_id: host.repository_id,
    credentials: credentials === undefined ? null : credentialsView(credentials),
    admin: (await viewAdmin(db, seal, hostId)) ?? null,
    append_only:
      deletions === null
        ? null
        : { seen: deletions.seen, at: instant(deletions.at), job_id: deletions.jobId },
    size: size === undefined ? null : { ...pointOf(size), blob_count: size.blob_count },
    sizes: await sizesOf(db, hostId, 90, now),
    snapshots: {
      total: host.snapshot_count,
      taken_at: host.snapshots_taken_at === null ? null : instant(host.snapshots_taken_at),
      by_tag: byTag((await readSnapshotBodies(db, hostId)).map((body) => Snapshot.parse(JSON.parse(body)))),
    },
    maintenance: view,
    last_unlock: unlock === undefined ? null : runView(unlock),
    locks: lockStatus([...ended, ...backupWitness(host)]),
    run_now: runNow(facts),
    active: (await activeJobs(db, hostId)).map(({ id, kind, state }) => ({
      job_id: id,
      kind,
      state: state === "running" ? "running" : "queued",
    })),
    turn:
      holder === undefined
        ? null
        : { job_id: holder.id, kind: holder.kind, host: { id: holder.host_id, name: holder.name } },
    shared_with: shared.map(({ id, name, online }) => ({ id, name, online: online === 1 })),
  };
}

/** Sizes of the last days, oldest first; of many as many as a chart can show, the newest among them. */
export async function sizesOf(db: Database, hostId: HostId, days: number, now: number): Promise<SizePoint[]> {
  const rows = await readSizes(db, hostId, now - days * DAY_MS);
  return thinned(rows, MOST_SIZE_POINTS).map(pointOf);
}

/** At most `most` of the list in its order, evenly picked, with the first and the last. */
export function thinned<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list];
  const step = (list.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, n) => list[Math.round(n * step)]).filter(
    (one): one is T & ({} | null) => one !== undefined,
  );
}

/** Snapshots by tag, by name; without any tag last. @param newestFirst all of them. */
export function byTag(newestFirst: readonly Snapshot[]): TaggedSnapshots[] {
  const found = new Map<string | null, TaggedSnapshots>();
  for (const snapshot of newestFirst) {
    const tags: (string | null)[] = snapshot.tags.length === 0 ? [null] : [...new Set(snapshot.tags)];
    for (const tag of tags) {
      const known = found.get(tag);
      if (known !== undefined) known.count += 1;
      else
        found.set(tag, {
          tag,
          count: 1,
          newest_at: snapshot.time,
          newest_bytes: snapshot.summary?.total_bytes_processed ?? null,
        });
    }
  }
  return [...found.values()].toSorted((a, b) => {
    if (a.tag === null || b.tag === null) return a.tag === null ? 1 : -1;
    return a.tag < b.tag ? -1 : 1;
  });
}

function pointOf(row: Tables["repository_stats"]): SizePoint {
  return {
    taken_at: instant(row.taken_at),
    total_size: row.total_size,
    total_uncompressed_size: row.total_uncompressed_size,
    snapshots_count: row.snapshots_count,
  };
}

/** A backup that met a lock in the repository that the host has; one that succeeded says nothing of locks, since it works beside left-over ones. */
function backupWitness(host: UpkeepHost): Witness[] {
  if (host.last_backup_error === null || host.last_backup_job_id === null) return [];
  if ((host.last_backup_at ?? 0) < (host.repository_since ?? 0)) return [];
  return [
    {
      id: host.last_backup_job_id,
      kind: "backup",
      state: "failed",
      finished_at: host.last_backup_at,
      error: host.last_backup_error,
      result: null,
    },
  ];
}
