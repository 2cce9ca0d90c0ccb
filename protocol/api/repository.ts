import { z } from "zod";
import { Instant } from "../ids.ts";

/** An address of a repository: `rest:https://host/path/`, `sftp:user@host:/path` or an absolute folder. */
export const RepositoryUrl = z
  .string()
  .min(1, "enter the repository's address")
  .max(2_048, "at most 2,048 characters")
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001f\u007f]+$/, "must not contain line breaks or control characters")
  .regex(
    /^(rest:https?:\/\/[^/\s]+.*|sftp:[^-].*|\/.*|[A-Za-z]:\\.*)$/,
    "must begin with rest:http://, rest:https://, sftp: or be an absolute folder",
  );

/** restic gets it by an environment variable, which cannot hold NUL. */
export const Password = z
  .string()
  .min(1)
  .max(1_024)
  // oxlint-disable-next-line no-control-regex -- NUL is what is refused
  .regex(/^[^\u0000]+$/, "must not contain NUL")
  .refine((text) => text.isWellFormed(), "must not contain half a character");

/** New everyday credentials. A password that is left out keeps the stored one, unless the address or account changes. */
export const RepoCredentialsInput = z.strictObject({
  url: RepositoryUrl,
  username: z
    .string()
    .max(256)
    .regex(/^[^:\s]*$/, "must not contain spaces or a colon")
    .optional(),
  password: Password.optional(),
  repository_password: Password.optional(),
});
export type RepoCredentialsInput = z.infer<typeof RepoCredentialsInput>;

/**
 * What may delete. All of it may be left out: the address is then the everyday one, as is the repository's password. A password that is
 * left out keeps the stored one, unless the address or account changes.
 */
export const AdminCredentialsInput = RepoCredentialsInput.extend({
  url: RepositoryUrl.nullable().optional(),
});
export type AdminCredentialsInput = z.infer<typeof AdminCredentialsInput>;

/** What may be shown of it. `url` is null where it is the everyday one; `has_repository_password` false where that is. */
export const AdminCredentialsView = z.object({
  url: z.string().nullable(),
  username: z.string().nullable(),
  has_password: z.boolean(),
  has_repository_password: z.boolean(),
  updated_at: Instant,
});
export type AdminCredentialsView = z.infer<typeof AdminCredentialsView>;

/** What may be shown: never a password. */
export const RepoCredentialsView = z.object({
  url: z.string(),
  username: z.string().nullable(),
  has_password: z.boolean(),
  has_repository_password: z.boolean(),
  updated_at: Instant,
});
export type RepoCredentialsView = z.infer<typeof RepoCredentialsView>;
