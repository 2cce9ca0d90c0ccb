import type { EnrollmentToken, EnrollmentTokenInput } from "@restic-manager/protocol/api/enrolment";
import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import { EnrollmentId, UserId } from "@restic-manager/protocol/ids";
import { splitRepositoryUrl, takesAccount } from "@restic-manager/protocol/repository-url";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Ids } from "../platform/ids.ts";
import type { Seal } from "../platform/seal.ts";
import { hashToken, mintToken } from "../platform/token.ts";
import { enrollCommands } from "./commands.ts";
import { htpasswdLine } from "./htpasswd.ts";
import { insertEnrollment, insertStep, isNameTaken } from "./store.ts";
import { mintPassword, writeToken } from "./token.ts";

/** How long a token is good. */
export const TOKEN_LIVES_MS = 3600_000;

export interface CreateParts {
  db: Database;
  clock: Clock;
  ids: Ids;
  seal: Seal;
  audit: Audit;
  /** Public address of this server, without a trailing slash. */
  baseUrl: () => Promise<string>;
}

/** The name that binds a token's sealed credentials to their row. */
export function enrollmentSlot(id: EnrollmentId): string {
  return `enrollment:${id}`;
}

/**
 * Makes a token for one machine. What is secret in the answer is nowhere else in plain text.
 *
 * @throws ApiProblem `name_taken`, or `validation_failed` by field.
 */
export async function createEnrollment(
  { db, clock, ids, seal, audit, baseUrl }: CreateParts,
  input: EnrollmentTokenInput,
  actor: UserActor,
): Promise<EnrollmentToken> {
  const { credentials, minted } = credentialsOf(input);
  const { username, password } = credentials;
  const now = clock.now();
  const id = ids.mint(EnrollmentId);
  const token = { id, secret: mintToken() };
  const line =
    username === undefined || password === undefined
      ? null
      : await htpasswdLine(username, password, minted.password ? "minted" : "chosen");
  await db.transaction().execute(async (trx) => {
    if (await isNameTaken(trx, input.host_name))
      throw new ApiProblem("name_taken", `another host is called ${input.host_name}`, {
        fields: { host_name: "another host has this name, or had it when it was enrolled" },
        hint: "a renamed host's snapshots keep the name it was enrolled with: choose another name",
      });
    await insertEnrollment(trx, {
      id,
      token_hash: hashToken(token.secret),
      host_name: input.host_name,
      sealed: seal.seal(JSON.stringify(credentials), enrollmentSlot(id)),
      includes: input.includes === undefined ? null : JSON.stringify(input.includes),
      excludes: input.excludes === undefined ? null : JSON.stringify(input.excludes),
      created_by: UserId.parse(actor.id),
      created_at: now,
      expires_at: now + TOKEN_LIVES_MS,
      used_at: null,
      host_id: null,
    });
    await insertStep(trx, id, "created", now, `by ${actor.name}`);
    await audit.record(trx, {
      actor,
      action: "enrollment.created",
      target: { kind: "enrollment", id, name: input.host_name },
      detail: { url: credentials.url, username: username ?? null },
    });
  });
  return {
    id,
    token: writeToken(token),
    expires_at: instant(now + TOKEN_LIVES_MS),
    ...enrollCommands(await baseUrl(), token),
    credentials: {
      username: username ?? null,
      password: minted.password ? (password ?? null) : null,
      repository_password: minted.repositoryPassword ? credentials.repository_password : null,
      htpasswd_line: line,
    },
  };
}

/** The slot's credentials, with what was left out minted. An account in the address is the account. */
function credentialsOf(input: EnrollmentTokenInput): {
  credentials: RepositoryCredentials;
  minted: { password: boolean; repositoryPassword: boolean };
} {
  const split = splitRepositoryUrl(input.repository_url);
  const username = split.username ?? input.username;
  const given = split.password ?? input.password;
  const fields: Record<string, string> = {};
  if (input.username !== undefined && input.username !== username)
    fields["username"] = "the address names another account";
  else if (username !== undefined && !takesAccount(split.url))
    fields["username"] = "only a rest: repository has accounts";
  else if (username === undefined && given !== undefined) fields["username"] = "a password needs an account";
  else if (username !== undefined && /[:\s]/.test(username))
    fields["repository_url"] = "the account's name must not contain spaces or a colon";
  if (input.password !== undefined && input.password !== given)
    fields["password"] = "the address holds another password";
  const [first] = Object.entries(fields);
  if (first !== undefined) throw new ApiProblem("validation_failed", first.join(": "), { fields });
  return {
    credentials: {
      url: split.url,
      ...(username === undefined ? {} : { username, password: given ?? mintPassword() }),
      repository_password: input.repository_password ?? mintPassword(),
    },
    minted: {
      password: username !== undefined && given === undefined,
      repositoryPassword: input.repository_password === undefined,
    },
  };
}
