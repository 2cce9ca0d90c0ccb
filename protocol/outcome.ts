import { z } from "zod";
import { JobError } from "./job-error.ts";
import { jobKinds, type JobKind } from "./jobs.ts";

/** What a job had done before it ended otherwise, in the shape of its kind's result. */
const left = z.record(z.string(), z.unknown());

/** How a job ended. `result` is checked against its kind by `parseResult`, since the kind travels beside it. */
export const JobOutcome = z.discriminatedUnion("state", [
  z.object({ state: z.literal("succeeded"), result: z.record(z.string(), z.unknown()) }),
  z.object({ state: z.literal("failed"), error: JobError, left: left.optional() }),
  z.object({ state: z.literal("cancelled"), left: left.optional() }),
]);
export type JobOutcome = z.infer<typeof JobOutcome>;

/**
 * Reads the result of a job of `kind`.
 * @throws z.ZodError when it does not have that kind's shape.
 */
export function parseResult(kind: JobKind, result: unknown): Record<string, unknown> {
  return jobKinds[kind].result.parse(result);
}
