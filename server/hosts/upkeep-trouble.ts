import { z } from "zod";

/**
 * What a host's maintenance says that somebody must see to. `damaged`: the last check that could look found damage. `failing`: the last
 * forget, prune or check failed.
 */
export const UpkeepTrouble = z.object({
  sort: z.enum(["damaged", "failing"]),
  /** A `JobErrorCode`. */
  code: z.string(),
  message: z.string(),
  /** Milliseconds since 1970. */
  at: z.number(),
});
export type UpkeepTrouble = z.infer<typeof UpkeepTrouble>;

/** Reads the column; one that cannot be read says nothing. */
export function readUpkeepTrouble(json: string | null): UpkeepTrouble | null {
  return json === null ? null : (UpkeepTrouble.safeParse(JSON.parse(json)).data ?? null);
}
