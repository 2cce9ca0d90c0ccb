import { sql } from "kysely";
import type { Role, User } from "@restic-manager/protocol/api/session";
import type { UserId } from "@restic-manager/protocol/ids";
import type { Database, Trx } from "../platform/db/schema.ts";

export interface Account extends User {
  passwordHash: string;
}

export interface NewAccount {
  id: UserId;
  username: string;
  role: Role;
  passwordHash: string;
  createdAt: number;
}

/** Names differ by more than upper and lower case. */
export function usernameKey(username: string): string {
  return username.toLowerCase();
}

/** @throws the store's unique violation when the name is taken. */
export async function insertAccount(trx: Trx, account: NewAccount): Promise<void> {
  await trx
    .insertInto("users")
    .values({
      id: account.id,
      username: account.username,
      username_key: usernameKey(account.username),
      role: account.role,
      password_hash: account.passwordHash,
      created_at: account.createdAt,
    })
    .execute();
}

export async function accountByName(db: Database, username: string): Promise<Account | null> {
  const row = await db
    .selectFrom("users")
    .select(["id", "username", "role", "password_hash"])
    .where("username_key", "=", usernameKey(username))
    .executeTakeFirst();
  return row === undefined
    ? null
    : { id: row.id, username: row.username, role: row.role, passwordHash: row.password_hash };
}

export async function administratorExists(db: Database | Trx): Promise<boolean> {
  const row = await db
    .selectFrom("users")
    .select("id")
    .where("role", "=", "admin")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export interface NewSession {
  tokenHash: string;
  userId: UserId;
  now: number;
  expiresAt: number;
  address: string | null;
  userAgent: string | null;
}

export async function insertSession(trx: Trx, session: NewSession): Promise<void> {
  await trx
    .insertInto("sessions")
    .values({
      token_hash: session.tokenHash,
      user_id: session.userId,
      created_at: session.now,
      expires_at: session.expiresAt,
      last_seen_at: session.now,
      address: session.address,
      user_agent: session.userAgent,
    })
    .execute();
}

/** The session's user, unless it has expired or was last seen before `idleSince`. */
export async function sessionUser(db: Database, tokenHash: string, now: number, idleSince: number) {
  const row = await db
    .selectFrom("sessions")
    .innerJoin("users", "users.id", "sessions.user_id")
    .select(["users.id", "users.username", "users.role", "sessions.last_seen_at"])
    .where("sessions.token_hash", "=", tokenHash)
    .where("sessions.expires_at", ">", now)
    .where("sessions.last_seen_at", ">", idleSince)
    .executeTakeFirst();
  if (row === undefined) return null;
  const user: User = { id: row.id, username: row.username, role: row.role };
  return { user, lastSeenAt: row.last_seen_at };
}

export async function markSeen(db: Database, tokenHash: string, now: number): Promise<void> {
  await db.updateTable("sessions").set({ last_seen_at: now }).where("token_hash", "=", tokenHash).execute();
}

/** @returns false when there was no such session. */
export async function deleteSession(trx: Trx, tokenHash: string): Promise<boolean> {
  const result = await trx.deleteFrom("sessions").where("token_hash", "=", tokenHash).executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function deleteDeadSessions(trx: Trx, now: number, idleSince: number): Promise<void> {
  await trx
    .deleteFrom("sessions")
    .where((or) => or.or([or("expires_at", "<=", now), or("last_seen_at", "<=", idleSince)]))
    .execute();
}

/** The host whose agent has this bearer. */
export async function hostOfBearer(db: Database, bearerHash: string) {
  const row = await db
    .selectFrom("hosts")
    .select("id")
    .where("bearer_hash", "=", bearerHash)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** Failed attempts under `keys`, locked until the transaction ends so that parallel attempts count one after the other. */
export async function lockFailures(trx: Trx, keys: readonly string[], now: number) {
  await trx
    .insertInto("sign_in_failures")
    .values(keys.map((key) => ({ key, count: 0, last_at: now })))
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet({ count: sql<number>`sign_in_failures.count` }),
    )
    .execute();
  return trx
    .selectFrom("sign_in_failures")
    .select(["key", "count", "last_at"])
    .where("key", "in", keys)
    .execute();
}

export async function setFailures(trx: Trx, key: string, count: number, now: number): Promise<void> {
  await trx.updateTable("sign_in_failures").set({ count, last_at: now }).where("key", "=", key).execute();
}

export async function deleteFailures(trx: Trx, key: string): Promise<void> {
  await trx.deleteFrom("sign_in_failures").where("key", "=", key).execute();
}

export async function deleteOldFailures(trx: Trx, before: number): Promise<void> {
  await trx.deleteFrom("sign_in_failures").where("last_at", "<", before).execute();
}

const SETUP_TOKEN = "setup_token_hash";

export async function setupTokenHash(db: Database): Promise<string | null> {
  const row = await db
    .selectFrom("instance")
    .select("value")
    .where("key", "=", SETUP_TOKEN)
    .executeTakeFirst();
  return row?.value ?? null;
}

export async function replaceSetupToken(db: Database, hash: string): Promise<void> {
  await db
    .insertInto("instance")
    .values({ key: SETUP_TOKEN, value: hash })
    .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: hash }))
    .execute();
}

/** @returns false when another request used it first. */
export async function takeSetupToken(trx: Trx, hash: string): Promise<boolean> {
  const result = await trx
    .deleteFrom("instance")
    .where("key", "=", SETUP_TOKEN)
    .where("value", "=", hash)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
