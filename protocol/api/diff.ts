import { z } from "zod";
import { ResticId } from "../ids.ts";
import { DiffChange, DiffFolder, DiffKind } from "../jobs/diff.ts";
import { SnapshotPath } from "../tree.ts";

/** `POST /hosts/{id}/snapshots/diff`, answered by `CreatedJob`. Without `from`: with the one before it of the same paths and tags. */
export const DiffRequest = z.strictObject({
  to: ResticId,
  from: ResticId.optional(),
  when_offline: z.enum(["wait", "refuse"]).default("refuse"),
});
export type DiffRequest = z.infer<typeof DiffRequest>;

/** `GET /jobs/{id}/changes`: what a comparison found, also while it runs, in the order of paths as restic walks them. */
export const ChangesQuery = z.strictObject({
  /** One or several, with commas. */
  kind: z
    .string()
    .max(100)
    .transform((text) => text.split(","))
    .pipe(z.array(DiffKind))
    .optional(),
  /** Part of the path, capital letters or not. */
  q: z.string().min(1).max(1_024).optional(),
  below: SnapshotPath.optional(),
  cursor: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});
export type ChangesQuery = z.infer<typeof ChangesQuery>;
export const ChangesPage = z.object({
  /** The two that are compared, the older first unless somebody asked for it the other way round. */
  from: ResticId,
  to: ResticId,
  /** Sums by folder, those with most changes first: on the first page of the whole list, once the comparison has succeeded. */
  folders: z.array(DiffFolder).optional(),
  items: z.array(DiffChange),
  next_cursor: z.string().nullable(),
  /** Of those kept, how many the filter lets through. */
  total: z.int().nonnegative(),
});
export type ChangesPage = z.infer<typeof ChangesPage>;
