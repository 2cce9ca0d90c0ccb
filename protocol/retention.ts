import { z } from "zod";

const keep = z.int().min(0).max(100_000).optional();
/** How many snapshots of each sort are kept; a dimension that is left out or 0 keeps none. All empty: nothing may be forgotten. */
export const RetentionPolicy = z.strictObject({
  keep_last: keep,
  hourly: keep,
  daily: keep,
  weekly: keep,
  monthly: keep,
  yearly: keep,
});
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

/** True for a policy that keeps something. An empty one would delete everything, so nothing is forgotten by it. */
export function keepsSomething(policy: RetentionPolicy): boolean {
  return Object.values(policy).some((count) => count !== undefined && count > 0);
}
