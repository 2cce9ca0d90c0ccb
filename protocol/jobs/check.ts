import { z } from "zod";
import { MaintenanceProgress } from "./exclusive.ts";

const count = z.int().nonnegative();
const duration_seconds = z.number().nonnegative();
/** Listed at most of each sort; the counts know all. */
export const CHECK_LISTED = 200;
const ids = z.array(z.string().max(64)).max(CHECK_LISTED);
const hints = z.array(z.enum(["repair_index", "repair_packs", "repair_snapshots", "prune"])).max(4);

/**
 * Checks the repository. What it finds is a result: the job fails only when it could not look (locked, wrong password, unreachable, …),
 * which says nothing of the data.
 */
export const check = {
  input: z.strictObject({
    /** How much of the data is read besides the structure, picked at random. Without it, flipped bytes in a pack are not seen. */
    read_data_percent: z.int().min(0).max(100),
  }),
  progress: MaintenanceProgress,
  result: z.discriminatedUnion("result", [
    z.object({ result: z.literal("ok"), read_data_percent: count, hints, duration_seconds }),
    z.object({
      result: z.literal("errors_found"),
      read_data_percent: count,
      error_count: z.int().positive(),
      broken_packs: ids,
      broken_pack_count: count,
      missing_packs: ids,
      missing_pack_count: count,
      broken_indexes: ids,
      broken_trees: ids,
      broken_snapshots: ids,
      /** restic's own words. */
      messages: z.array(z.string().max(1_024)).max(CHECK_LISTED),
      message_count: count,
      hints,
      /** The repository did not always answer meanwhile: check once more before believing it. */
      doubtful: z.boolean(),
      duration_seconds,
    }),
  ]),
};
