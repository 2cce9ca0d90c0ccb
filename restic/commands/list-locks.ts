import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { executeDocument } from "../document.ts";
import type { Outcome } from "../error.ts";
import { execute } from "../execute.ts";

/** A lock's file. `time` is when it was made or last refreshed (restic refreshes every 5 minutes). */
export const lockFile = z.object({
  time: z.string(),
  exclusive: z.boolean().default(false),
  hostname: z.string().default(""),
  username: z.string().default(""),
  pid: z.number().int().default(0),
});
export type Lock = z.infer<typeof lockFile> & { id: string };

/** `unreadable` are ids of lock files that could not be read: damaged, or gone in the meantime. */
export type Locks = { locks: Lock[]; unreadable: string[] };

// Takes no lock itself, so it also answers while the repository is locked exclusively.
export const listLocksArgs: readonly string[] = ["list", "locks", "--no-lock"];

export function catLockArgs(id: string): string[] {
  return ["cat", "lock", id, "--json", "--no-lock"];
}

/** The id on a line of `list locks`; undefined for any other text. */
export function parseLockId(text: string): string | undefined {
  return /^[0-9a-f]{64}$/.test(text) ? text : undefined;
}

const locksDeadlineMs = 60_000;
/** A repository with more is beyond looking at one by one. */
const maxLocks = 100;

/** Every lock with its holder. Costs about 0.5 s per lock; `deadlineMs` holds for each call. */
export async function listLocks(
  context: ResticContext,
  input: { deadlineMs?: number } = {},
  hooks: Hooks = {},
): Promise<Outcome<Locks>> {
  const deadlineMs = input.deadlineMs ?? locksDeadlineMs;
  const ids: string[] = [];
  const { error } = await execute(
    context,
    {
      args: listLocksArgs,
      kind: "read",
      deadlineMs,
      onLine(stream, { text }) {
        const id = stream === "stdout" ? parseLockId(text) : undefined;
        if (id !== undefined && ids.length < maxLocks) ids.push(id);
        return id !== undefined;
      },
    },
    hooks,
  );
  if (error !== undefined) return { ok: false, error };
  const found: Locks = { locks: [], unreadable: [] };
  for (const id of ids) {
    const lock = await executeDocument(
      context,
      { args: catLockArgs(id), kind: "read", deadlineMs },
      lockFile,
      hooks,
    );
    if (lock.ok) found.locks.push({ id, ...lock.value });
    else if (lock.error.code === "failed") found.unreadable.push(id);
    else return lock;
  }
  return { ok: true, value: found };
}

/**
 * Whether a lock is certainly a leftover of this machine: its host name, and a process that is dead. restic's own
 * test sends that process a signal; this does not. `pidAlive` must answer true when in doubt.
 */
export function isProvablyOwnStale(
  lock: Pick<Lock, "hostname" | "pid">,
  { hostname, pidAlive }: { hostname: string; pidAlive: (pid: number) => boolean },
): boolean {
  return hostname !== "" && lock.hostname === hostname && lock.pid > 0 && !pidAlive(lock.pid);
}

/** restic's own limit: a live restic refreshes its lock every 5 minutes, so after 30 nobody does. */
export const staleAfterMs = 30 * 60_000;

export type LockJudgement =
  /** Certainly a leftover: plain `unlock` removes it. */
  | { state: "stale"; why: "process_gone" | "expired"; ageMs: number }
  /** In use as far as can be told: a living process of this machine, or another's that is young. */
  | { state: "live"; ageMs: number };

/**
 * Whether a lock is a leftover, by the same rules as restic's own `unlock`: this host's with a dead process, or not refreshed for 30
 * minutes. A lock with a time that cannot be read, or of the future, is never expired. `now` in milliseconds; `pidAlive` must answer true
 * when in doubt.
 */
export function judgeLock(
  lock: Pick<Lock, "hostname" | "pid" | "time">,
  at: { hostname: string; now: number; pidAlive: (pid: number) => boolean },
): LockJudgement {
  const made = Date.parse(lock.time);
  const ageMs = Number.isNaN(made) ? 0 : Math.max(0, at.now - made);
  if (isProvablyOwnStale(lock, at)) return { state: "stale", why: "process_gone", ageMs };
  return ageMs > staleAfterMs ? { state: "stale", why: "expired", ageMs } : { state: "live", ageMs };
}
