import { z } from "zod";
import { MaintenanceProgress } from "./exclusive.ts";

const count = z.int().nonnegative();

/** Frees what no snapshot needs any more. Nothing else can work on the repository meanwhile. */
export const prune = {
  input: z.strictObject({
    /** With the credentials of the admin slot, which come with the command. */
    use_admin: z.boolean(),
  }),
  progress: MaintenanceProgress,
  /** In bytes, as exact as restic prints them; what it did not print is absent. */
  result: z.object({
    freed_bytes: count.optional(),
    freed_blobs: count.optional(),
    repacked_bytes: count.optional(),
    remaining_bytes: count.optional(),
    unused_bytes_left: count.optional(),
    duration_seconds: z.number().nonnegative(),
  }),
};
