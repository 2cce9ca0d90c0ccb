import { z } from "zod";
import { ResticId } from "../ids.ts";

const count = z.int().nonnegative();
const bytes = z.number().nonnegative();

/** Changes that are kept of one comparison, at most; the counts know all. */
export const DIFF_KEPT = 50_000;
/** Bytes of them as JSON, at most. */
export const DIFF_KEPT_BYTES = 8 * 1024 * 1024;
/** Changes that travel together. */
export const DIFF_BATCH = 500;
/** Folders with sums in a result. */
export const DIFF_FOLDERS = 200;

export const DIFF_KINDS = ["added", "removed", "modified", "metadata", "type_changed"] as const;
export const DiffKind = z.enum(DIFF_KINDS);
export type DiffKind = z.infer<typeof DiffKind>;

/** One thing that is not the same in two snapshots. */
export const DiffChange = z.object({
  /** In the snapshot; a byte that is no UTF-8 is U+FFFD. */
  path: z.string().max(16_384),
  kind: DiffKind,
  is_folder: z.boolean(),
  /** Other content at the same size and time: what a failing disk looks like. */
  suspicious: z.boolean().optional(),
  /** Of a file, in bytes; absent where it is not known. */
  size_before: bytes.optional(),
  size_after: bytes.optional(),
});
export type DiffChange = z.infer<typeof DiffChange>;

const kindCounts = z.object({
  added: count,
  removed: count,
  modified: count,
  metadata: count,
  type_changed: count,
});
export type DiffCounts = z.infer<typeof kindCounts>;

/** What only one of the two needs; bytes as stored, before compression. */
const side = z.object({ files: count, folders: count, others: count, bytes });

/** Changes below one folder, at any depth. */
export const DiffFolder = kindCounts.extend({
  path: z.string().max(16_384),
  /** What its files grew by; below zero where they shrank. Known where sizes are. */
  bytes: z.number(),
});
export type DiffFolder = z.infer<typeof DiffFolder>;

/** Compares two snapshots. Changes travel apart from the result, as they are found (`diff.changes`). */
export const diff = {
  input: z.strictObject({
    from: ResticId,
    to: ResticId,
    /** Their trees, by which the agent knows its indexes. */
    from_tree: ResticId.optional(),
    to_tree: ResticId.optional(),
  }),
  progress: z.object({
    phase: z.enum(["waiting_for_repository", "comparing"]),
    counts: kindCounts,
    seconds_elapsed: count,
    waiting_cause: z.string().max(1_024).optional(),
  }),
  result: z.object({
    from: ResticId,
    to: ResticId,
    added: side,
    removed: side,
    counts: kindCounts,
    /** How many changes are kept; fewer than the counts add up to when there were too many. */
    kept: count,
    truncated: z.boolean(),
    /** Sizes come from the agent's indexes of the snapshots, where it had them. */
    sizes_known: z.boolean(),
    /** Those with most changes; of folders that hold the same changes the deepest. The API's view of the job leaves them out. */
    folders: z.array(DiffFolder).max(DIFF_FOLDERS),
    duration_seconds: z.number().nonnegative(),
  }),
};
