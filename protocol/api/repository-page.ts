import { z } from "zod";
import { HostId, Instant, JobId } from "../ids.ts";
import { JobKind } from "../jobs.ts";
import { LockState } from "../lock-state.ts";
import { RepositoryState } from "./hosts.ts";
import { WaitsOn } from "./jobs.ts";
import { Hindrance, RepoMaintenance, SharingHost, UpkeepRun } from "./maintenance.ts";
import { AdminCredentialsView, RepoCredentialsView } from "./repository.ts";

const count = z.int().nonnegative();

/** One measurement of a repository, by the agent after a job. */
export const SizePoint = z.object({
  taken_at: Instant,
  /** Bytes it takes at its server. */
  total_size: z.number().nonnegative(),
  /** The same without compression. */
  total_uncompressed_size: z.number().nonnegative().nullable(),
  /** Snapshots of all hosts in it. */
  snapshots_count: count,
});
export type SizePoint = z.infer<typeof SizePoint>;

/** `GET /hosts/{id}/repo/stats?days=90`: at most `MOST_SIZE_POINTS`, oldest first, the newest among them. */
export const RepoStatsQuery = z.strictObject({ days: z.coerce.number().int().min(1).max(3_650).default(90) });
export const MOST_SIZE_POINTS = 400;
export const RepoStats = z.object({ items: z.array(SizePoint).max(MOST_SIZE_POINTS) });
export type RepoStats = z.infer<typeof RepoStats>;

/** This host's snapshots with one tag. */
export const TaggedSnapshots = z.object({
  /** Null: without any tag. A snapshot with two tags counts under each. */
  tag: z.string().nullable(),
  count,
  newest_at: Instant,
  /** Bytes the newest of them covers; null when it does not say. */
  newest_bytes: z.number().nonnegative().nullable(),
});
export type TaggedSnapshots = z.infer<typeof TaggedSnapshots>;

/** What is known of the repository's locks, from the last job that met or looked at them. */
export const LockStatus = z.discriminatedUnion("state", [
  /** No job has said anything of locks. */
  z.object({ state: z.literal("unknown") }),
  /** The last job that needed the repository for itself got it, or an unlock left nothing. */
  z.object({ state: z.literal("free"), at: Instant, job_id: JobId }),
  z.object({
    state: z.literal("locked"),
    at: Instant,
    job_id: JobId,
    /** Whose they are; empty when they could not be read. */
    locks: z.array(LockState),
    /** True when some are provably left over: `unlock` removes them. Otherwise it takes `remove_all`. */
    stale: z.boolean(),
  }),
]);
export type LockStatus = z.infer<typeof LockStatus>;

/** `GET /hosts/{id}/repository`: all that its page shows. */
export const RepositoryPage = z.object({
  host: z.object({ id: HostId, name: z.string(), online: z.boolean() }),
  state: RepositoryState,
  /** restic's own id of it; the same at hosts that share it. Null until a job has opened it. */
  repository_id: z.string().nullable(),
  credentials: RepoCredentialsView.nullable(),
  /** Null while nothing may delete. */
  admin: AdminCredentialsView.nullable(),
  /** Whether the everyday credentials were seen to be refused a deletion; null while nothing has tried. */
  append_only: z.object({ seen: z.boolean(), at: Instant, job_id: JobId }).nullable(),
  /** The last measurement; null before the first. */
  size: SizePoint.extend({ blob_count: count.nullable() }).nullable(),
  /** Over 90 days, oldest first. */
  sizes: z.array(SizePoint).max(MOST_SIZE_POINTS),
  snapshots: z.object({
    total: count,
    taken_at: Instant.nullable(),
    /** By name; without a tag last. */
    by_tag: z.array(TaggedSnapshots),
  }),
  maintenance: RepoMaintenance,
  last_unlock: UpkeepRun.nullable(),
  locks: LockStatus,
  /** Why a button does nothing: by kind, null where it does. */
  run_now: z.object({
    forget: Hindrance.nullable(),
    prune: Hindrance.nullable(),
    check: Hindrance.nullable(),
    unlock: Hindrance.nullable(),
  }),
  /** This host's jobs under way or waiting, but for backups; oldest first. */
  active: z.array(z.object({ job_id: JobId, kind: JobKind, state: z.enum(["queued", "running"]) })),
  /** The job that has the repository for itself, of whichever host. */
  turn: WaitsOn.nullable(),
  /** Other hosts of the same repository, by name. */
  shared_with: z.array(SharingHost),
});
export type RepositoryPage = z.infer<typeof RepositoryPage>;
