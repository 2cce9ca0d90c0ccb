import { z } from "zod";

const count = z.int().nonnegative();

/** What a job says that works on the whole repository: restic itself tells nothing on the way. */
export const MaintenanceProgress = z.object({
  phase: z.enum(["waiting_for_repository", "working"]),
  seconds_elapsed: count,
  /** Why it waits: whose lock it is, or restic's own words. */
  waiting_cause: z.string().max(1_024).optional(),
});
export type MaintenanceProgress = z.infer<typeof MaintenanceProgress>;

/**
 * Kinds that need a repository for themselves; one of them at a time on one repository, whichever hosts they are for. Strings, because
 * the store compares with them.
 */
export const EXCLUSIVE_KINDS = ["forget", "prune", "check", "tag", "forget_snapshots"] as const;

/** Whether jobs of this kind may need their repository for themselves; a preview of `forget` does not. */
export function isExclusive(kind: string): boolean {
  return EXCLUSIVE_KINDS.some((one) => one === kind);
}
