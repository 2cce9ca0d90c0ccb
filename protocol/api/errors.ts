import { z } from "zod";
import { Changed } from "./changed.ts";

/** Every error code the API answers, with its HTTP status. One table; `server/platform/http/problem.ts` uses it. */
export const API_ERRORS = {
  validation_failed: 422,
  malformed_json: 400,
  too_large: 413,
  unsupported_media_type: 415,
  unauthenticated: 401,
  wrong_credentials: 401,
  forbidden: 403,
  foreign_origin: 403,
  not_found: 404,
  method_not_allowed: 405,
  already_set_up: 409,
  conflict: 409,
  changed_meanwhile: 409,
  name_taken: 409,
  host_offline: 503,
  admin_creds_required: 400,
  missing_retention: 400,
  no_credentials: 409,
  group_in_use: 409,
  last_group: 409,
  job_finished: 409,
  job_not_lost: 409,
  token_expired: 410,
  token_used: 410,
  token_unknown: 401,
  setup_token_wrong: 403,
  gone: 410,
  rate_limited: 429,
  agent_outdated: 409,
  snapshot_indexing: 503,
  snapshot_too_large: 507,
  agent_busy: 503,
  agent_failed: 502,
  agent_timeout: 504,
  store_full: 507,
  unavailable: 503,
  internal: 500,
} as const;
export type ApiErrorCode = keyof typeof API_ERRORS;

/** Body of every answer that is not a success. */
export const Problem = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  /** Field path (`repository.url`) to what is wrong with it. */
  fields: z.record(z.string(), z.string()).optional(),
  /** With `host_offline` in a snapshot: its folders that can be shown all the same. */
  folders: z.array(z.string()).optional(),
  /** With `group_in_use`: the schedules that fire the group. */
  schedules: z.array(z.object({ id: z.string(), cron: z.string() })).optional(),
  /** With `changed_meanwhile`: what the newest version is, and whose. */
  newest: z.object({ version: z.int(), changed: Changed.nullable() }).optional(),
});
export type Problem = z.infer<typeof Problem>;
