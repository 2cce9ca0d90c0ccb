import { z } from "zod";
import { HostId, Instant } from "../ids.ts";
import { HostStatus } from "./hosts.ts";

/** Hosts that stand badly for the same reason. */
export const FleetProblem = z.object({
  /** A job error's code, or `offline`, `issues`, `restic_missing`, `restic_too_old`. */
  code: z.string(),
  status: HostStatus,
  message: z.string(),
  since: Instant.nullable(),
  host_count: z.int().positive(),
  /** The first few. */
  hosts: z.array(z.object({ id: HostId, name: z.string() })).max(5),
});
export type FleetProblem = z.infer<typeof FleetProblem>;

/** The tiles, the run band and the problems of the fleet page. */
export const FleetSummary = z.object({
  hosts: z.int().nonnegative(),
  online: z.int().nonnegative(),
  counts: z.record(HostStatus, z.int().nonnegative()),
  backed_up_24h: z.int().nonnegative(),
  running_jobs: z.int().nonnegative(),
  queued_jobs: z.int().nonnegative(),
  protected_bytes: z.number().nonnegative(),
  stored_bytes: z.number().nonnegative(),
  /** Backups that ended, by half hour, oldest first: the last 24 hours. */
  runs: z.array(
    z.object({
      at: Instant,
      succeeded: z.int().nonnegative(),
      issues: z.int().nonnegative(),
      failed: z.int().nonnegative(),
    }),
  ),
  problems: z.array(FleetProblem),
  /** The server's own trouble, such as a full disk. */
  store: z.discriminatedUnion("state", [
    z.object({ state: z.literal("ok") }),
    z.object({ state: z.literal("failing"), since: Instant, message: z.string() }),
  ]),
  /** Whether the server that answers hears the others; absent where it does, or is alone. */
  cut_off: z.object({ since: Instant }).optional(),
});
export type FleetSummary = z.infer<typeof FleetSummary>;
