import { z } from "zod";
import { SourceGroupId } from "./ids.ts";
import { Bandwidth } from "./jobs/backup.ts";
import { HOOK_CHARACTERS } from "./limits.ts";

/** What opens a repository. Only ever inside TLS or loopback, sealed at rest at both ends. */
export const RepositoryCredentials = z.strictObject({
  /** `rest:https://…`, `sftp:…` or an absolute folder; never with user or password in it. */
  url: z.string().min(1).max(2_048),
  /** Account at the rest-server. */
  username: z.string().max(256).optional(),
  password: z.string().max(1_024).optional(),
  /** What encrypts the repository itself. */
  repository_password: z.string().min(1).max(1_024),
});
export type RepositoryCredentials = z.infer<typeof RepositoryCredentials>;

const hook = z.string().min(1).max(HOOK_CHARACTERS);

/** What runs before and after a backup on the machine. Secret: a hook may hold a password. */
export const Hooks = z.object({
  pre: hook.optional(),
  post: hook.optional(),
  timeout_seconds: z.int().positive(),
});
export type Hooks = z.infer<typeof Hooks>;

/** All that an agent needs to work while the server is away. `version` rises with every change. */
export const AgentConfig = z.object({
  version: z.int().nonnegative(),
  /** The name that the machine's snapshots carry. It stays when people give the host another one. */
  host_name: z.string().min(1).max(253),
  repository: RepositoryCredentials.nullable(),
  bandwidth: Bandwidth,
  /** Absent from servers that know none. A group's own stand instead of the host's, both of them. */
  hooks: z
    .object({
      host: Hooks.optional(),
      groups: z.array(z.object({ source_group_id: SourceGroupId, hooks: Hooks })).max(1_000),
    })
    .optional(),
});
export type AgentConfig = z.infer<typeof AgentConfig>;
