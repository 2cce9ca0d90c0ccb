import { z } from "zod";
import { AgentConfig } from "../config.ts";
import { EnrollmentId, HostId, Instant } from "../ids.ts";
import { JOB_INPUT_BYTES } from "../limits.ts";
import { Password, RepositoryUrl } from "./repository.ts";

export const HostName = z
  .string()
  .min(1, "enter the machine's name")
  .max(253, "at most 253 characters")
  .regex(/^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/, "letters, digits, dots and dashes, as in a DNS name");

const path = z
  .string()
  .min(1)
  .max(4_096)
  // oxlint-disable-next-line no-control-regex -- NUL cannot be part of a path
  .regex(/^[^\u0000]+$/, "must not contain NUL")
  .refine((text) => text.isWellFormed(), "must not contain half a character");
/** A folder or file to back up: absolute, so that it means the same whoever runs restic. */
export const IncludePath = path.regex(/^(\/|[A-Za-z]:[\\/])/, "must be an absolute path");
export const ExcludePattern = path;

/** Includes and excludes travel with every backup, in one frame: each gets just under half of a job's input. */
export function pathsFit(list: string[]): boolean {
  return new TextEncoder().encode(JSON.stringify(list)).byteLength <= JOB_INPUT_BYTES / 2 - 1_024;
}
export const PATHS_TOO_MUCH = "is too long in all: at most 255 KiB";

/** What an operator says to add a machine. Passwords that are left out are minted and shown once. */
export const EnrollmentTokenInput = z.strictObject({
  host_name: HostName,
  repository_url: RepositoryUrl,
  username: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[^:\s]+$/, "must not contain spaces or a colon")
    .optional(),
  password: Password.optional(),
  repository_password: Password.optional(),
  /** What to back up; a sensible list for the machine's system when left out. */
  includes: z.array(IncludePath).min(1).max(1_000).refine(pathsFit, PATHS_TOO_MUCH).optional(),
  excludes: z.array(ExcludePattern).max(1_000).refine(pathsFit, PATHS_TOO_MUCH).optional(),
});
export type EnrollmentTokenInput = z.infer<typeof EnrollmentTokenInput>;

/** Everything secret in here is shown this once. */
export const EnrollmentToken = z.object({
  id: EnrollmentId,
  token: z.string(),
  expires_at: Instant,
  install_command: z.string(),
  /** For a machine where the agent is there already. */
  enroll_command: z.string(),
  credentials: z.object({
    username: z.string().nullable(),
    /** Present when minted here. */
    password: z.string().nullable(),
    repository_password: z.string().nullable(),
    /** To append to the rest-server's htpasswd file; absent without an account. */
    htpasswd_line: z.string().nullable(),
  }),
});
export type EnrollmentToken = z.infer<typeof EnrollmentToken>;

export const ENROLLMENT_STEPS = [
  "created",
  "script_fetched",
  "binary_fetched",
  "enrolled",
  "connected",
] as const;
/** Where a machine stands on its way in, with what the server has seen of it. */
export const EnrollmentProgress = z.object({
  id: EnrollmentId,
  host_name: z.string(),
  state: z.enum(["waiting", "enrolled", "connected", "expired"]),
  expires_at: Instant,
  host_id: HostId.nullable(),
  seen: z.array(z.object({ step: z.enum(ENROLLMENT_STEPS), at: Instant, detail: z.string().nullable() })),
});
export type EnrollmentProgress = z.infer<typeof EnrollmentProgress>;

/** What an agent sends to become a host. */
export const AgentEnroll = z.object({
  token: z.string().min(1).max(256),
  hostname: z.string().min(1).max(253),
  machine_id: z.string().max(256),
  os: z.string().max(64),
  os_name: z.string().max(256),
  arch: z.string().max(64),
  agent_version: z.string().max(64),
});
export type AgentEnroll = z.infer<typeof AgentEnroll>;

/** The bearer is in here and nowhere else. */
export const AgentEnrolled = z.object({ host_id: HostId, bearer: z.string(), config: AgentConfig });
export type AgentEnrolled = z.infer<typeof AgentEnrolled>;
