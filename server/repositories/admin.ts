import { z } from "zod";
import type { AdminCredentialsInput, AdminCredentialsView } from "@restic-manager/protocol/api/repository";
import type { RepositoryCredentials } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import { repositoryServer, splitRepositoryUrl, takesAccount } from "@restic-manager/protocol/repository-url";
import type { UserActor } from "../audit/actor.ts";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Seal } from "../platform/seal.ts";
import { openCredentials } from "./credentials.ts";
import {
  lockHost,
  readAdmin,
  readCredentials,
  removeAdmin,
  writeCredentials,
  type CredentialRow,
} from "./store.ts";
import type { UpdateParts } from "./update.ts";

/** What the slot seals. A repository's password that is left out is the everyday one. */
const Sealed = z.object({ password: z.string().optional(), repository_password: z.string().optional() });
type Secrets = z.infer<typeof Sealed>;

/** The name that binds a host's deleting secrets to their row; another than the everyday slot's. */
export function adminSlot(hostId: HostId): string {
  return `host:${hostId}:admin`;
}

/** What may delete in a host's repository; undefined when the host has none, or no repository at all. @throws SealError */
export async function adminCredentials(
  db: Database,
  seal: Seal,
  hostId: HostId,
): Promise<RepositoryCredentials | undefined> {
  const row = await readAdmin(db, hostId);
  const everyday = await readCredentials(db, hostId);
  if (row === undefined || everyday === undefined) return undefined;
  const { password, repository_password } = openSecrets(seal, row);
  return {
    url: row.url === "" ? everyday.url : row.url,
    ...(row.username === null ? {} : { username: row.username }),
    ...(password === undefined ? {} : { password }),
    repository_password: repository_password ?? openCredentials(seal, everyday).repository_password,
  };
}

/** Whether a host has credentials that may delete. */
export async function hasAdmin(db: Database, hostId: HostId): Promise<boolean> {
  return (await readAdmin(db, hostId)) !== undefined;
}

/** What may be shown; undefined when the slot is empty. */
export async function viewAdmin(
  db: Database,
  seal: Seal,
  hostId: HostId,
): Promise<AdminCredentialsView | undefined> {
  const row = await readAdmin(db, hostId);
  return row === undefined ? undefined : view(row, openSecrets(seal, row));
}

/**
 * Saves what may delete. What is left out stays as it is; the account's password only for the same account on the same server, as with
 * the everyday slot. It is not sent to the agent: it rides on the commands that need it.
 *
 * @throws ApiProblem `not_found`, `no_credentials`, or `validation_failed` by field.
 */
export async function saveAdmin(
  { db, seal, clock, bus, audit }: Omit<UpdateParts, "createInitJob">,
  hostId: HostId,
  input: AdminCredentialsInput,
  actor: UserActor,
): Promise<AdminCredentialsView> {
  const shown = await db.transaction().execute(async (trx) => {
    const host = await lockHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const everyday = await readCredentials(trx, hostId);
    if (everyday === undefined)
      throw new ApiProblem("no_credentials", `${host.name} has no repository yet`, {
        hint: "enter its everyday credentials first",
      });
    const row = await readAdmin(trx, hostId);
    const stored = row === undefined ? undefined : { row, secrets: openSecrets(seal, row) };
    const { url, username, secrets } = merge(input, everyday, stored);
    const updated: CredentialRow = {
      host_id: hostId,
      slot: "admin",
      url,
      username: username === "" ? null : username,
      sealed: seal.seal(JSON.stringify(secrets), adminSlot(hostId)),
      has_password: secrets.password === undefined ? 0 : 1,
      updated_at: clock.now(),
    };
    await writeCredentials(trx, updated);
    await audit.record(trx, {
      actor,
      action: "credential.updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        slot: "admin",
        url: url === "" ? everyday.url : url,
        username: updated.username,
        password: secrets.password === stored?.secrets.password ? "kept" : "changed",
      },
    });
    return view(updated, secrets);
  });
  bus.publish("host.changed", { hostId });
  return shown;
}

/** Takes away what may delete. @throws ApiProblem `not_found`. */
export async function deleteAdmin(
  { db, bus, audit }: Pick<UpdateParts, "db" | "bus" | "audit">,
  hostId: HostId,
  actor: UserActor,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const host = await lockHost(trx, hostId);
    if (host === undefined || !(await removeAdmin(trx, hostId)))
      throw new ApiProblem("not_found", "there is no such host, or it has no admin credentials");
    await audit.record(trx, {
      actor,
      action: "credential.updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { slot: "admin", removed: true },
    });
  });
  bus.publish("host.changed", { hostId });
}

function openSecrets(seal: Seal, row: CredentialRow): Secrets {
  return Sealed.parse(JSON.parse(seal.open(row.sealed, adminSlot(row.host_id))));
}

function view(row: CredentialRow, secrets: Secrets): AdminCredentialsView {
  return {
    url: row.url === "" ? null : row.url,
    username: row.username,
    has_password: secrets.password !== undefined,
    has_repository_password: secrets.repository_password !== undefined,
    updated_at: instant(row.updated_at),
  };
}

function merge(
  input: AdminCredentialsInput,
  everyday: CredentialRow,
  stored: { row: CredentialRow; secrets: Secrets } | undefined,
): { url: string; username: string; secrets: Secrets } {
  const given = input.url === undefined || input.url === null ? undefined : splitRepositoryUrl(input.url);
  // The everyday address as such is no other one: when that moves, this moves with it.
  const url = given === undefined || given.url === everyday.url ? "" : given.url;
  const address = url === "" ? everyday.url : url;
  const before = stored && (stored.row.url === "" ? everyday.url : stored.row.url);
  const username = takesAccount(address)
    ? (given?.username ?? input.username ?? stored?.row.username ?? "")
    : (input.username ?? "");
  const sameAccount =
    before !== undefined &&
    username === (stored?.row.username ?? "") &&
    repositoryServer(address) === repositoryServer(before);
  const newPassword = given?.password ?? input.password;
  const password =
    username === "" ? undefined : (newPassword ?? (sameAccount ? stored?.secrets.password : undefined));
  const fields: Record<string, string> = {};
  if (username !== "" && !takesAccount(address)) fields["username"] = "only a rest: repository has accounts";
  else if (username === "" && newPassword !== undefined) fields["username"] = "a password needs an account";
  else if (username !== "" && password === undefined)
    fields["password"] = "enter the account's password for this server";
  const [first] = Object.entries(fields);
  if (first !== undefined) throw new ApiProblem("validation_failed", `${first[0]}: ${first[1]}`, { fields });
  const repository_password = input.repository_password ?? stored?.secrets.repository_password;
  return {
    url,
    username,
    secrets: {
      ...(password === undefined ? {} : { password }),
      ...(repository_password === undefined ? {} : { repository_password }),
    },
  };
}
