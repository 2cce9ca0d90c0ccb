import { z } from "zod";
import { Epoch, JobId } from "./ids.ts";
import { ResticFound } from "./restic-found.ts";

/** The part of `hello` that every release, past or future, sends: enough to say "too old" or "too new". */
export const HelloEnvelope = z.looseObject({
  type: z.literal("hello"),
  protocol_version: z.int().nonnegative(),
});

const text = z.string().transform((value) => value.slice(0, 256));

/**
 * The first frame on the link. Loose, and forgiving in all that is only shown to people: a field this release cannot
 * read becomes "unknown" rather than a closed socket. Strict only in what the delivery rules stand on.
 */
export const Hello = z.looseObject({
  type: z.literal("hello"),
  protocol_version: z.int().nonnegative(),
  agent_version: text.catch("unknown"),
  restic: ResticFound.catch({ state: "missing" }),
  os: z.enum(["linux", "windows", "darwin"]).or(text).catch("unknown"),
  /** The system's own name for itself, such as "Debian GNU/Linux 12 (bookworm)". */
  os_name: text.catch("unknown"),
  arch: text.catch("unknown"),
  hostname: text.catch("unknown"),
  boot_id: text.catch("unknown"),
  machine_id: text.catch("unknown"),
  /** The agent's clock in milliseconds since 1970; the server stores the skew. */
  clock: z.number().catch(Number.NaN),
  epoch: Epoch,
  outbox: z.object({
    /** Lowest sequence number the agent still holds; `highest + 1` when it holds none. */
    lowest: z.int().positive(),
    /** Highest sequence number ever given in this epoch; 0 when none. */
    highest: z.int().nonnegative(),
  }),
  /**
   * Jobs the agent has taken and not finished, as of `outbox.highest`. Strict but for the state, which a later agent may call
   * otherwise: a list that counted as empty would end every one of its jobs as lost.
   */
  jobs: z.array(z.object({ id: JobId, state: z.enum(["accepted", "running"]).catch("running") })),
  /** Of these jobs: those that need their command once more, since it brought what is never written down. From version 3 on. */
  commands_needed: z.array(JobId).max(1_000).optional().catch(undefined),
  config_version: z.int().nonnegative().catch(0),
  schedule_version: z.int().nonnegative().catch(0),
  /** Name of the zone the machine's clock shows; from version 2 on. */
  timezone: z.string().max(64).optional().catch(undefined),
});
export type Hello = z.infer<typeof Hello>;
