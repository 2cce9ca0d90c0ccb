import { z } from "zod";
import { ResticId } from "../ids.ts";

/** Opens the host's repository with its everyday credential, and creates it if there is none. */
export const init = {
  input: z.strictObject({
    /** A person wanted it made anew: where there is one, the log says what to do. From protocol 3 on. */
    again: z.boolean().optional(),
  }),
  progress: z.object({}),
  result: z.object({
    repository_id: ResticId,
    /** false: the repository was there and the password opens it. */
    created: z.boolean(),
  }),
};
