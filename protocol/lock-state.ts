import { z } from "zod";
import { Instant } from "./ids.ts";

/** A lock in a repository, with whose it is and what can be told of its holder. */
export const LockState = z.object({
  id: z.string().max(64),
  hostname: z.string().max(1_024),
  username: z.string().max(1_024),
  pid: z.int().nonnegative(),
  exclusive: z.boolean(),
  /** When it was made or last refreshed: a living restic does so every 5 minutes. Null when that cannot be read. */
  refreshed_at: Instant.nullable(),
  age_seconds: z.int().nonnegative(),
  /** `process_gone`: of the agent's own machine, and that process is dead. `expired`: older than restic's own limit of 30 minutes. */
  state: z.enum(["live", "process_gone", "expired"]),
});
export type LockState = z.infer<typeof LockState>;

/** Locks that travel: a repository with more is beyond looking at one by one. */
export const LOCKS_LISTED = 20;
