import { z } from "zod";
import { LOCKS_LISTED, LockState } from "./lock-state.ts";

/** Why a job failed. The codes are stable: alerts, filters and people rely on them. */
export const JOB_ERROR_CODES = [
  "repository_missing",
  "repository_locked",
  "wrong_password",
  "repository_unreachable",
  "repository_damaged",
  "repository_full",
  "unauthorized",
  "append_only",
  "restic_missing",
  "restic_too_old",
  "source_missing",
  "snapshot_missing",
  "path_missing",
  "target_refused",
  "nothing_read",
  "no_credentials",
  "repository_not_ready",
  "agent_restarted",
  "agent_lost_job",
  "agent_state_lost",
  "agent_outdated",
  "host_removed",
  "given_up",
  "invalid_input",
  "hook_failed",
  "host_offline",
  "disk_full",
  "failed",
] as const;

export type JobErrorCode = (typeof JOB_ERROR_CODES)[number];

/** What happened, to what, and what to do next. A code this release does not know is read as `failed`. */
export const JobError = z.object({
  // The OpenAPI document cannot tell what a `catch` accepts.
  code: z
    .enum(JOB_ERROR_CODES)
    .catch("failed")
    .meta({ type: "string", enum: [...JOB_ERROR_CODES] }),
  message: z.string().max(8_192),
  hint: z.string().max(2_048).optional(),
  /** With `repository_locked`: whose the locks are. Absent when they could not be read. */
  locks: z.array(LockState).max(LOCKS_LISTED).optional(),
});
export type JobError = z.infer<typeof JobError>;
