import { z } from "zod";
import { Instant } from "../ids.ts";

/** By whom and when something was changed last. */
export const Changed = z.object({ at: Instant, by: z.string() });
export type Changed = z.infer<typeof Changed>;

/** With `PUT`: the version that was edited. When it is no longer the newest, the answer is `changed_meanwhile`; left out, nothing is compared. */
export const EditedVersion = z.int().positive().optional();
