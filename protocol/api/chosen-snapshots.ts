import { z } from "zod";
import { chosenSnapshots, Tag } from "../jobs/tag.ts";

/** `POST /hosts/{id}/snapshots/tags`, answered by `CreatedJob`. Snapshots get new ids with it. */
export const TagSnapshots = z
  .strictObject({
    snapshot_ids: chosenSnapshots,
    add: z.array(Tag).max(50).default([]),
    remove: z.array(Tag).max(50).default([]),
  })
  .refine(({ add, remove }) => add.length + remove.length > 0, {
    message: "nothing is added or removed",
    path: ["add"],
  });
export type TagSnapshots = z.infer<typeof TagSnapshots>;

/** `POST /hosts/{id}/snapshots/forget`, answered by `CreatedJob`. There is no way back, so the host's name is typed. */
export const ForgetSnapshots = z.strictObject({
  snapshot_ids: chosenSnapshots,
  confirm_host: z.string().max(253),
});
export type ForgetSnapshots = z.infer<typeof ForgetSnapshots>;
