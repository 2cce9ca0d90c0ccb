import { z } from "zod";

/** What the agent found when it looked for restic. */
export const ResticFound = z.discriminatedUnion("state", [
  z.object({ state: z.literal("ok"), version: z.string().max(64) }),
  z.object({ state: z.literal("too_old"), version: z.string().max(64) }),
  z.object({ state: z.literal("missing") }),
]);
export type ResticFound = z.infer<typeof ResticFound>;
