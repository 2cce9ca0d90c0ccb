import { z } from "zod";
import { Instant, ResticId, SourceGroupId } from "../ids.ts";
import { keepsSomething, RetentionPolicy } from "../retention.ts";
import { MaintenanceProgress } from "./exclusive.ts";

const count = z.int().nonnegative();
const group = { source_group_id: SourceGroupId, source_group_name: z.string().min(1).max(128) };

/** Most snapshots that are listed in one group's result, of those kept and of those removed; the counts know all. */
export const FORGET_LISTED = 500;

/** One snapshot in a result. `reasons` are restic's words, such as `daily snapshot`. */
export const ForgetEntry = z.object({
  id: ResticId,
  time: Instant,
  reasons: z.array(z.string().max(128)).max(20).optional(),
});
export type ForgetEntry = z.infer<typeof ForgetEntry>;

/** What became of one source group. */
export const ForgottenGroup = z.discriminatedUnion("outcome", [
  z.object({
    ...group,
    outcome: z.literal("done"),
    kept_count: count,
    removed_count: count,
    kept: z.array(ForgetEntry).max(FORGET_LISTED),
    removed: z.array(ForgetEntry).max(FORGET_LISTED),
    /** Snapshots that should have gone and did not. */
    not_removed_count: count,
  }),
  /** Its policy keeps nothing, which would delete everything. */
  z.object({ ...group, outcome: z.literal("skipped"), why: z.literal("no_retention") }),
]);
export type ForgottenGroup = z.infer<typeof ForgottenGroup>;

/** Forgets the snapshots of each source group that its policy does not keep; `prune` then frees their data. */
export const forget = {
  input: z.strictObject({
    groups: z
      .array(
        z.strictObject({
          ...group,
          retention_policy: RetentionPolicy.refine(
            keepsSomething,
            "keeps nothing: it would delete everything",
          ),
        }),
      )
      .min(1)
      .max(1_000),
    /** Groups whose policy is empty, for the result to say so. */
    skipped: z.array(z.strictObject(group)).max(1_000),
    /** Removes nothing; the result is what would be. */
    dry_run: z.boolean(),
    /** With the credentials of the admin slot, which come with the command. */
    use_admin: z.boolean(),
  }),
  progress: MaintenanceProgress,
  result: z.object({ dry_run: z.boolean(), groups: z.array(ForgottenGroup).max(2_000) }),
};
