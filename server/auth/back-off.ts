import { isIP } from "node:net";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { deleteFailures, deleteOldFailures, lockFailures, setFailures, usernameKey } from "./store.ts";

interface Allowance {
  /** Wrong attempts without any wait. */
  free: number;
  /** The longest wait, in milliseconds. */
  longestMs: number;
}

/** Short, since anybody can make an account wait; with ten characters and more a guess a minute leads nowhere. */
const ACCOUNT: Allowance = { free: 5, longestMs: 60_000 };
/** An office behind one address shares it, so more is free; then it gets as long as 15 minutes. */
const ADDRESS: Allowance = { free: 20, longestMs: 15 * 60_000 };
const FIRST_WAIT_MS = 1_000;
/** Failures older than this are forgotten. */
const FORGOTTEN_MS = 24 * 3600_000;

/** One counted attempt to sign in. */
export interface Attempt {
  accountKey: string;
  addressKey: string;
}

/** How long after the last of `count` failures the next attempt may come. */
export function waitAfter(count: number, { free, longestMs }: Allowance): number {
  if (count < free) return 0;
  return Math.min(longestMs, FIRST_WAIT_MS * 2 ** Math.min(30, count - free));
}

/**
 * Counts an attempt as failed before its password is looked at, so that many at once cannot all slip through;
 * `forgive` takes it back.
 *
 * @throws ApiProblem `rate_limited`; such an attempt is not counted, and does not make the wait longer.
 */
export async function countAttempt(
  db: Database,
  clock: Clock,
  username: string,
  address: string | null,
): Promise<Attempt> {
  const attempt = {
    accountKey: `account:${usernameKey(username)}`,
    addressKey: `address:${networkOf(address)}`,
  };
  const now = clock.now();
  const waitMs = await db.transaction().execute(async (trx) => {
    await deleteOldFailures(trx, now - FORGOTTEN_MS);
    const rows = await lockFailures(trx, [attempt.accountKey, attempt.addressKey].toSorted(), now);
    const waits = rows.map(({ key, count, last_at }) => {
      const allowance = key === attempt.accountKey ? ACCOUNT : ADDRESS;
      return last_at + waitAfter(count, allowance) - now;
    });
    const longest = Math.max(0, ...waits);
    if (longest === 0) for (const { key, count } of rows) await setFailures(trx, key, count + 1, now);
    return longest;
  });
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1_000);
    throw new ApiProblem("rate_limited", `too many failed attempts: try again in ${seconds} s`, {
      retryAfterSeconds: seconds,
    });
  }
  return attempt;
}

/** Forgets failures that count no more; every attempt does so too. */
export async function forgetOldFailures(trx: Trx, now: number): Promise<void> {
  await deleteOldFailures(trx, now - FORGOTTEN_MS);
}

/** The password was right: the account starts afresh, and the address has one failure less. */
export async function forgive(trx: Trx, clock: Clock, attempt: Attempt): Promise<void> {
  const now = clock.now();
  const rows = await lockFailures(trx, [attempt.accountKey, attempt.addressKey].toSorted(), now);
  await deleteFailures(trx, attempt.accountKey);
  const address = rows.find((row) => row.key === attempt.addressKey);
  if (address === undefined || address.count <= 1) await deleteFailures(trx, attempt.addressKey);
  else await setFailures(trx, attempt.addressKey, address.count - 1, address.last_at);
}

/** An IPv6 customer has a whole /64 to come from. */
function networkOf(address: string | null): string {
  if (address === null || isIP(address) !== 6) return address ?? "unknown";
  const [head = "", tail] = address.split("%")[0]?.toLowerCase().split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - after.length);
  const all = [...groups, ...Array.from({ length: zeros }, () => "0"), ...after];
  return `${all
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":")}::/64`;
}
