import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { executeDocument } from "../document.ts";
import type { Outcome } from "../error.ts";

/**
 * What the repository holds. `total_size` is what it takes on the disk in bytes. An empty repository has no
 * compression figures.
 */
export const rawDataStats = z.object({
  total_size: z.number().nonnegative(),
  total_uncompressed_size: z.number().nonnegative().optional(),
  compression_ratio: z.number().optional(),
  total_blob_count: z.number().int().nonnegative().optional(),
  snapshots_count: z.number().int().nonnegative(),
});
export type RawDataStats = z.infer<typeof rawDataStats>;

/** `raw-data` only: the default mode walks every snapshot and takes minutes. */
export const statsArgs: readonly string[] = ["stats", "--mode=raw-data", "--json", "--no-lock"];

const statsDeadlineMs = 10 * 60_000;

/** The size of the repository. Sizes of single backups are in the snapshots' own summaries. */
export function stats(
  context: ResticContext,
  input: { deadlineMs?: number } = {},
  hooks: Hooks = {},
): Promise<Outcome<RawDataStats>> {
  const command = { args: statsArgs, kind: "read" as const, deadlineMs: input.deadlineMs ?? statsDeadlineMs };
  return executeDocument(context, command, rawDataStats, hooks);
}
