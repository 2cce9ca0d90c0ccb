import { z } from "zod";
import { HOOK_CHARACTERS } from "../limits.ts";
import { Instant, SourceGroupId } from "../ids.ts";
import { Bandwidth } from "../jobs/backup.ts";
import { RetentionPolicy } from "../retention.ts";
import { Changed, EditedVersion } from "./changed.ts";
import { ExcludePattern, IncludePath, pathsFit, PATHS_TOO_MUCH } from "./enrolment.ts";

/** The name is the tag of the group's snapshots, where restic takes a comma for the end of one. */
export const GroupName = z
  .string()
  .trim()
  .min(1, "enter a name")
  .max(128, "at most 128 characters")
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^,\u0000-\u001f\u007f]+$/, "must not contain commas, line breaks or control characters")
  .regex(/^[^-]/, "must not begin with a dash")
  .refine((text) => text.isWellFormed(), "must not contain half a character");

export { RetentionPolicy };

/** Hooks as they may be shown: never a body. */
export const HooksView = z.object({
  has_pre: z.boolean(),
  has_post: z.boolean(),
  timeout_seconds: z.int().positive(),
  updated_at: Instant,
});
export type HooksView = z.infer<typeof HooksView>;

const hook = z
  .string()
  .min(1)
  .max(HOOK_CHARACTERS, "at most 16,384 characters")
  // oxlint-disable-next-line no-control-regex -- NUL cannot be part of a script
  .regex(/^[^\u0000]+$/, "must not contain NUL")
  .refine((text) => text.isWellFormed(), "must not contain half a character");
/** What is left out stays as it is; null takes a hook away. */
export const HooksInput = z.strictObject({
  pre: hook.nullable().optional(),
  post: hook.nullable().optional(),
  timeout_seconds: z.int().min(1).max(86_400).optional(),
});
export type HooksInput = z.infer<typeof HooksInput>;

/** A host's default hooks; null when it has none. */
export const HostHooks = z.object({ hooks: HooksView.nullable() });
export type HostHooks = z.infer<typeof HostHooks>;
/** Caps of every restic call of a host, in KiB/s; 0 or absent: none. */
export const HostBandwidth = Bandwidth;

/** Times tried again, and the first wait; each further wait is twice as long, up to half an hour. */
export const RETRY_MAX = 10;
export const RETRY_BACKOFF_SECONDS = 60;

export const SourceGroup = z.object({
  id: SourceGroupId,
  name: z.string(),
  includes: z.array(IncludePath),
  excludes: z.array(ExcludePattern),
  retention_policy: RetentionPolicy,
  /** How often a scheduled backup that failed for want of network or a lock is tried again, and a waiting one waits anew. */
  retry_max: z.int().nonnegative(),
  retry_backoff_seconds: z.int().positive(),
  /** Its own; null when the host's stand for it. */
  hooks: HooksView.nullable(),
  /** Rises with each change; see `PUT`. */
  version: z.int().positive(),
  /** Null while it is as it was made. */
  changed: Changed.nullable(),
});
export type SourceGroup = z.infer<typeof SourceGroup>;
export const SourceGroups = z.object({ items: z.array(SourceGroup) });
export type SourceGroups = z.infer<typeof SourceGroups>;

/** `POST` and `PUT`: the whole group. What is left out is empty, or as for a new group. */
export const SourceGroupInput = z.strictObject({
  name: GroupName,
  includes: z
    .array(IncludePath)
    .min(1, "name at least one folder or file")
    .max(10_000, "at most 10,000 paths: include a folder instead of its files")
    .refine(pathsFit, PATHS_TOO_MUCH),
  excludes: z
    .array(ExcludePattern)
    .max(10_000, "at most 10,000 patterns")
    .refine(pathsFit, PATHS_TOO_MUCH)
    .default([]),
  retention_policy: RetentionPolicy.default({}),
  retry_max: z.int().min(0).max(1_000).default(RETRY_MAX),
  retry_backoff_seconds: z.int().min(1).max(86_400).default(RETRY_BACKOFF_SECONDS),
});
export type SourceGroupInput = z.infer<typeof SourceGroupInput>;
export const SourceGroupEdit = SourceGroupInput.extend({ version: EditedVersion });
export type SourceGroupEdit = z.infer<typeof SourceGroupEdit>;
