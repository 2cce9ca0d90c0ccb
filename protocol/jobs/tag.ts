import { z } from "zod";
import { ResticId } from "../ids.ts";

/** Most snapshots that are named in one job. */
export const CHOSEN_SNAPSHOTS = 1_000;

/** A tag as restic takes it: a comma would end it. */
export const Tag = z
  .string()
  .min(1)
  .max(128)
  .refine((tag) => !tag.includes(","), "must not contain a comma")
  .refine((tag) => !/\p{Cc}/u.test(tag), "must not contain control characters")
  .refine((tag) => tag.isWellFormed(), "must not contain half a character");

const tags = z.array(Tag).max(50);

export const chosenSnapshots = z.array(ResticId).min(1).max(CHOSEN_SNAPSHOTS);

/** What a job that works on chosen snapshots says under way. */
export const chosenProgress = z.object({
  phase: z.enum(["waiting_for_repository", "working"]),
  done: z.int().nonnegative(),
  total: z.int().nonnegative(),
  waiting_cause: z.string().max(1_024).optional(),
});

/** Changes tags. A snapshot with other tags is another snapshot with another id. */
export const tag = {
  input: z.strictObject({
    snapshot_ids: chosenSnapshots,
    add: tags,
    remove: tags,
    /** With the credentials of the admin slot, which come with the command. */
    use_admin: z.boolean(),
  }),
  progress: chosenProgress,
  result: z.object({
    changed: z.array(z.object({ old_id: ResticId, new_id: ResticId })).max(CHOSEN_SNAPSHOTS),
    /** Not there, or not to be read. */
    not_found: z.array(ResticId).max(CHOSEN_SNAPSHOTS),
  }),
};
