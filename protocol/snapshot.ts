import { z } from "zod";
import { Instant, ResticId } from "./ids.ts";

const count = z.int().nonnegative();

/** One snapshot as restic lists it; long path lists are cut, `paths_total` says how many there are. */
export const Snapshot = z.object({
  id: ResticId,
  time: Instant,
  tree: ResticId.optional(),
  parent: ResticId.optional(),
  hostname: z.string().max(1_024),
  username: z.string().max(1_024).optional(),
  tags: z.array(z.string().max(1_024)).max(100),
  paths: z.array(z.string().max(4_096)).max(50),
  paths_total: count,
  program_version: z.string().max(128).optional(),
  /** From restic 0.17 on. */
  summary: z
    .object({
      files_new: count,
      files_changed: count,
      files_unmodified: count,
      data_added: count,
      data_added_packed: count,
      total_files_processed: count,
      total_bytes_processed: count,
      duration_seconds: z.number().nonnegative(),
    })
    .optional(),
});
export type Snapshot = z.infer<typeof Snapshot>;
