import { z } from "zod";
import { ResticId } from "../ids.ts";
import { SnapshotPath } from "../tree.ts";

const count = z.int().nonnegative();
const bytes = z.number().nonnegative();

/** Most paths of one restore; what is below a picked folder comes with it. */
export const RESTORE_PATHS = 20_000;
/** Issues, and deleted paths, that a result lists; the counts know all. */
export const RESTORE_LISTED = 200;

/** Something that did not come back as it should. Its path in the snapshot. */
export const RestoreIssue = z.object({ path: z.string().max(4_096), message: z.string().max(1_024) });
export type RestoreIssue = z.infer<typeof RestoreIssue>;

/** `always` compares contents and writes what differs; `if-changed` trusts equal size and time. */
export const OVERWRITE_MODES = ["always", "if-changed", "if-newer", "never"] as const;
export const OverwriteMode = z.enum(OVERWRITE_MODES);
export type OverwriteMode = z.infer<typeof OverwriteMode>;

/** Absolute, and without `..`; whether the agent may write there, only its own machine knows. */
export const TargetFolder = z
  .string()
  .min(1)
  .max(4_096)
  .refine((path) => !path.includes("\0"), "a path holds no NUL")
  .refine(
    (path) => path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path),
    "must be absolute: it begins with / (on Windows with a drive)",
  )
  .refine((path) => !path.split(/[\\/]/).includes(".."), "must not contain .. (where it leads is not plain)")
  .refine((path) => path.isWellFormed(), "must not contain half a character");

/**
 * `folder`: below a new or empty folder, without ownership; the agent's own choice (`/var/restic-restore/<job-id>`) when left out.
 * `in_place`: where it was, with its ownership.
 */
export const RestoreTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("folder"), path: TargetFolder.optional() }),
  z.strictObject({ kind: z.literal("in_place") }),
]);
export type RestoreTarget = z.infer<typeof RestoreTarget>;

const counts = {
  /**
   * Of what was picked: files, links and folders; totals with what is skipped. Older agents gave restic's own figures: folders above
   * what was picked were among the restored, and what is skipped was in no total.
   */
  files_total: count,
  files_restored: count,
  /** Left as they are: the same already, or not to be overwritten. */
  files_skipped: count,
  files_deleted: count,
  bytes_total: bytes,
  bytes_restored: bytes,
  bytes_skipped: bytes,
};

/** Brings files of one snapshot back. A dry run says what would be done, and writes nothing. */
export const restore = {
  input: z.strictObject({
    snapshot_id: ResticId,
    /** `/` alone is everything. A byte that is no UTF-8 stands as U+FFFD. */
    paths: z.array(SnapshotPath).min(1).max(RESTORE_PATHS),
    target: RestoreTarget,
    overwrite: OverwriteMode,
    /** Deletes what is in restored folders and not in the snapshot. */
    delete: z.boolean(),
    dry_run: z.boolean(),
    /** Reads all restored files again and compares. */
    verify: z.boolean(),
    /** Holes for zeros. */
    sparse: z.boolean(),
  }),
  progress: z.object({
    /** `measuring`: what there is to restore, and whether the disk has room; `finishing`: ownership is dropped. */
    phase: z.enum(["waiting_for_repository", "measuring", "restoring", "verifying", "finishing"]),
    /** 0 to 1, of bytes; absent until the total is known. */
    fraction: z.number().min(0).max(1).optional(),
    /** Restored and skipped, as in the totals. */
    files_done: count,
    files_total: count.optional(),
    files_skipped: count,
    bytes_done: bytes,
    bytes_total: bytes.optional(),
    seconds_elapsed: count,
    seconds_remaining: count.optional(),
    /** Over the last seconds. */
    bytes_per_second: bytes.optional(),
    error_count: count,
    /** The newest ones, newest last. */
    errors: z.array(RestoreIssue).max(5),
    /** In the snapshot. */
    current_file: z.string().max(4_096).optional(),
    /** The folder it goes to; `/` in place. */
    where: z.string().max(4_200),
    /** Why it waits, in restic's own words. */
    waiting_cause: z.string().max(1_024).optional(),
  }),
  /** Also what a restore that failed or was cancelled leaves behind. */
  result: z.object({
    ...counts,
    /** False: it was ended early, and counts say how far it had come at its last word. */
    complete: z.boolean(),
    dry_run: z.boolean(),
    in_place: z.boolean(),
    /** The folder it went to; `/` in place. */
    where: z.string().max(4_200),
    /** False in place, where the agent is not root, who alone could keep it, and where it could not be taken from all files. */
    ownership_dropped: z.boolean(),
    verified: z.boolean(),
    duration_seconds: z.number().nonnegative(),
    /** Before it began: what was still to be written, and what the tightest of the disks had free. */
    space: z.object({ needed: bytes, free: bytes, enough: z.boolean() }).optional(),
    issue_count: count,
    issues: z.array(RestoreIssue).max(RESTORE_LISTED),
    /** On the disk: the first of what was deleted, or would be. */
    deleted: z.array(z.string().max(4_096)).max(RESTORE_LISTED),
    /** Does the same with restic alone, in a shell; holds no secret. Null when it would be longer than a shell takes. */
    command: z.string().max(32_768).nullable(),
  }),
};
