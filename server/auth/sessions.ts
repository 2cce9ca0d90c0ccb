import type { User } from "@restic-manager/protocol/api/session";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { hashToken, mintToken } from "../platform/token.ts";
import { deleteDeadSessions, deleteSession, insertSession, markSeen, sessionUser } from "./store.ts";

const DAY_MS = 24 * 3600_000;
/** A session ends this long after sign-in, whatever happens. */
export const SESSION_MS = 30 * DAY_MS;
/** A session nobody used for so long ends. */
export const IDLE_MS = 7 * DAY_MS;
/** `last_seen_at` is written at most this often: a page that polls must not write with every request. */
const SEEN_EVERY_MS = 5 * 60_000;

export interface Visitor {
  address: string | null;
  userAgent: string | null;
}

/**
 * Starts a session and ends the one the browser came with, so that a token from before the sign-in is worth nothing.
 *
 * @returns the token for the cookie; only its hash is stored.
 */
export async function startSession(
  trx: Trx,
  clock: Clock,
  user: User,
  visitor: Visitor,
  earlierHash: string | null,
): Promise<string> {
  const token = mintToken();
  const now = clock.now();
  await endDeadSessions(trx, now);
  if (earlierHash !== null) await deleteSession(trx, earlierHash);
  await insertSession(trx, {
    tokenHash: hashToken(token),
    userId: user.id,
    now,
    expiresAt: now + SESSION_MS,
    address: visitor.address,
    userAgent: visitor.userAgent?.slice(0, 256) ?? null,
  });
  return token;
}

/** Forgets sessions that have expired or were idle for too long. */
export async function endDeadSessions(trx: Trx, now: number): Promise<void> {
  await deleteDeadSessions(trx, now, now - IDLE_MS);
}

/** Whose session the cookie's token is, or null when it is unknown, revoked, expired or idle for too long. */
export async function findSession(
  db: Database,
  clock: Clock,
  token: string,
): Promise<{ user: User; sessionHash: string } | null> {
  const sessionHash = hashToken(token);
  const now = clock.now();
  const found = await sessionUser(db, sessionHash, now, now - IDLE_MS);
  if (found === null) return null;
  // A store that cannot write (a full disk) must not sign people out: they are the ones who make space.
  if (now - found.lastSeenAt >= SEEN_EVERY_MS) await markSeen(db, sessionHash, now).catch(() => undefined);
  return { user: found.user, sessionHash };
}

/** False once the session has ended, for whatever reason: for streams that outlive the request that began them. */
export async function isSessionAlive(db: Database, clock: Clock, sessionHash: string): Promise<boolean> {
  const now = clock.now();
  return (await sessionUser(db, sessionHash, now, now - IDLE_MS)) !== null;
}
