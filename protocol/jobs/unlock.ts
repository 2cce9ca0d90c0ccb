import { z } from "zod";
import { LOCKS_LISTED, LockState } from "../lock-state.ts";

const count = z.int().nonnegative();
const locks = z.array(LockState).max(LOCKS_LISTED);

/** Looks whose locks there are and removes those that are leftovers. */
export const unlock = {
  input: z.strictObject({
    /** Takes away living locks too, of any machine: only for a person who has seen whose they are. */
    remove_all: z.boolean(),
  }),
  progress: z.object({}),
  result: z.object({
    removed_count: count,
    /** What there was before. */
    found: locks,
    /** What is left: in use as far as can be told. */
    remaining: locks,
    /** Lock files that could not be read; they stay. */
    unreadable_count: count,
  }),
};
