import { z } from "zod";
import { ResticId, SourceGroupId } from "../ids.ts";

const count = z.int().nonnegative();

/** A file or folder that restic could not read, once each. */
export const BackupIssue = z.object({ path: z.string().max(4_096), message: z.string().max(1_024) });
export type BackupIssue = z.infer<typeof BackupIssue>;

/** Caps in KiB/s; 0 or absent means no cap. */
export const Bandwidth = z.strictObject({
  upload_kib_per_s: z.int().nonnegative().max(10_000_000).optional(),
  download_kib_per_s: z.int().nonnegative().max(10_000_000).optional(),
});
export type Bandwidth = z.infer<typeof Bandwidth>;

/** Saves the files of one source group as a new snapshot, tagged with the group's name. */
export const backup = {
  input: z.strictObject({
    source_group_id: SourceGroupId,
    source_group_name: z.string().min(1).max(128),
    includes: z.array(z.string().min(1).max(4_096)).min(1).max(20_000),
    excludes: z.array(z.string().min(1).max(4_096)).max(20_000),
    /** Caps for this run; they win over the host's. */
    bandwidth: Bandwidth.optional(),
  }),
  progress: z.object({
    phase: z.enum(["waiting_for_repository", "scan", "backup", "report"]),
    /** 0 to 1; absent until restic knows the total. */
    fraction: z.number().min(0).max(1).optional(),
    files_done: count,
    files_total: count.optional(),
    bytes_done: count,
    bytes_total: count.optional(),
    seconds_elapsed: count,
    seconds_remaining: count.optional(),
    /** Bytes read per second over the last seconds. */
    bytes_per_second: count.optional(),
    error_count: count,
    current_files: z.array(z.string().max(4_096)).max(8),
    /** Why it waits, in restic's own words. */
    waiting_cause: z.string().max(1_024).optional(),
  }),
  result: z.object({
    /** Absent when nothing had changed and restic was told to skip. */
    snapshot_id: ResticId.optional(),
    files_new: count,
    files_changed: count,
    files_unmodified: count,
    dirs_new: count,
    dirs_changed: count,
    dirs_unmodified: count,
    /** Bytes added before and after compression. */
    data_added: count,
    data_added_packed: count,
    total_files_processed: count,
    total_bytes_processed: count,
    duration_seconds: z.number().nonnegative(),
    /** How many items could not be read; more than `issues` lists when there were many. */
    issue_count: count,
    issues: z.array(BackupIssue).max(500),
  }),
};
