import { z } from "zod";
import type { RepoCredentialsInput, RepoCredentialsView } from "@restic-manager/protocol/api/repository";
import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import { repositoryServer, splitRepositoryUrl, takesAccount } from "@restic-manager/protocol/repository-url";
import { instant } from "../platform/clock.ts";
import type { Seal } from "../platform/seal.ts";
import type { CredentialRow } from "./store.ts";

/** What the slot seals: its secrets and nothing else, so that the rest can be shown without opening it. */
const Sealed = z.object({ password: z.string().optional(), repository_password: z.string() });

/** The name that binds a host's everyday secrets to their row. */
export function credentialSlot(hostId: HostId): string {
  return `host:${hostId}:repo`;
}

export function sealCredentials(
  seal: Seal,
  hostId: HostId,
  credentials: RepositoryCredentials,
  now: number,
): CredentialRow {
  const { url, username, password, repository_password } = credentials;
  const secrets = JSON.stringify({ password, repository_password } satisfies z.input<typeof Sealed>);
  return {
    host_id: hostId,
    slot: "repo",
    url,
    username: username ?? null,
    sealed: seal.seal(secrets, credentialSlot(hostId)),
    has_password: password === undefined ? 0 : 1,
    updated_at: now,
  };
}

/** @throws SealError when the row was changed or belongs to another host. */
export function openCredentials(seal: Seal, row: CredentialRow): RepositoryCredentials {
  const { password, repository_password } = Sealed.parse(
    JSON.parse(seal.open(row.sealed, credentialSlot(row.host_id))),
  );
  return {
    url: row.url,
    ...(row.username === null ? {} : { username: row.username }),
    ...(password === undefined ? {} : { password }),
    repository_password,
  };
}

/** What may be shown. A slot always has the repository's password: without it there is nothing to save. */
export function credentialsView(row: CredentialRow): RepoCredentialsView {
  return {
    url: row.url,
    username: row.username,
    has_password: row.has_password === 1,
    has_repository_password: true,
    updated_at: instant(row.updated_at),
  };
}

export type Merged =
  | { ok: true; credentials: RepositoryCredentials }
  /** By field: what is wrong with it. */
  | { ok: false; fields: Record<string, string> };

/**
 * Works out the credentials that an input means beside the stored ones.
 *
 * - Whatever is left out stays as it is; an empty user name takes the account away.
 * - An account written into the address is the account.
 * - The account's password is kept only for the same account on the same server. It goes to that server in the clear, so
 *   whoever may change the address must not be able to have it sent to one of their own without knowing it.
 * - The repository's password never leaves the machine, so it is kept whatever the address: a repository that moved has
 *   still the same.
 */
export function mergeCredentials(input: RepoCredentialsInput, stored: RepositoryCredentials | null): Merged {
  const split = splitRepositoryUrl(input.url);
  const fields: Record<string, string> = {};
  if (split.username !== undefined && input.username !== undefined && input.username !== split.username)
    fields["username"] = "the address names another account";
  if (split.password !== undefined && input.password !== undefined && input.password !== split.password)
    fields["password"] = "the address holds another password";

  const hasAccounts = takesAccount(split.url);
  const kept = hasAccounts ? stored?.username : undefined;
  const username = split.username ?? input.username ?? kept ?? "";
  const given = split.password ?? input.password;
  const sameAccount =
    stored !== null &&
    username === (stored.username ?? "") &&
    repositoryServer(split.url) === repositoryServer(stored.url);
  const password = username === "" ? undefined : (given ?? (sameAccount ? stored.password : undefined));

  if (!hasAccounts && username !== "") fields["username"] = "only a rest: repository has accounts";
  else if (username === "" && given !== undefined) fields["username"] = "a password needs an account";
  else if (username !== "" && password === undefined && !sameAccount)
    fields["password"] = "enter the account's password for this server";
  const repositoryPassword = input.repository_password ?? stored?.repository_password;
  if (repositoryPassword === undefined) fields["repository_password"] = "enter the repository's password";

  if (Object.keys(fields).length > 0 || repositoryPassword === undefined) return { ok: false, fields };
  return {
    ok: true,
    credentials: {
      url: split.url,
      ...(username === "" ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      repository_password: repositoryPassword,
    },
  };
}
