import { z } from "zod";
import { Bandwidth } from "./jobs/backup.ts";

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

/** All that an agent needs to work while the server is away. `version` rises with every change. */
export const AgentConfig = z.object({
  version: z.int().nonnegative(),
  /** The name that the machine's snapshots carry. It stays when people give the host another one. */
  host_name: z.string().min(1).max(253),
  repository: RepositoryCredentials.nullable(),
  bandwidth: Bandwidth,
});
export type AgentConfig = z.infer<typeof AgentConfig>;
