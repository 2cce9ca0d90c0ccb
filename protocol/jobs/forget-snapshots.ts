import { z } from "zod";
import { ResticId } from "../ids.ts";
import { MaintenanceProgress } from "./exclusive.ts";
import { CHOSEN_SNAPSHOTS, chosenSnapshots } from "./tag.ts";

const ids = z.array(ResticId).max(CHOSEN_SNAPSHOTS);

/** Removes exactly these snapshots. Their data is freed by a prune. */
export const forgetSnapshots = {
  input: z.strictObject({
    snapshot_ids: chosenSnapshots,
    /** With the credentials of the admin slot, which come with the command. */
    use_admin: z.boolean(),
  }),
  progress: MaintenanceProgress,
  result: z.object({ removed: ids, not_found: ids, not_removed: ids }),
};
