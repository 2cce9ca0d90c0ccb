import { hostname } from "node:os";
import type { JobError } from "@restic-manager/protocol/job-error";
import { LOCKS_LISTED, type LockState } from "@restic-manager/protocol/lock-state";
import { judgeLock, listLocks, type Lock } from "@restic-manager/restic/commands/list-locks";
import { unlock } from "@restic-manager/restic/commands/unlock";
import type { ResticContext } from "@restic-manager/restic/context";
import type { Outcome } from "@restic-manager/restic/error";
import { identifyProcess } from "@restic-manager/restic/process-start";
import type { JobTools } from "./job-runner.ts";
import { toJobError } from "./restic-access.ts";

/** How long restic may wait for a lock that is alive: a prune of a large repository takes hours, a backup seldom more than one. */
const RETRY_LOCK_SECONDS = 3_600;
/** Listing locks costs half a second each; a repository that does not answer must not hold up the job's end for long. */
const LIST_DEADLINE_MS = 30_000;

type LockTools = Pick<JobTools<"prune">, "cancel" | "kill" | "log" | "timers">;

/** What a command came to; a failure in the protocol's words, `undefined` for a cancel of ours. */
export type PastLock<T> = { ok: true; value: T } | { ok: false; error: JobError | undefined };

/**
 * Runs a restic command that may meet another's lock. At once at first: a lock of the dead would be waited for in vain. Locks that
 * are provably left over are removed and it runs again; for a living one restic waits, as long as an hour. If the repository stays
 * locked, the error says whose the locks are.
 *
 * @param waiting called with the reason when it begins to wait.
 */
export async function pastLock<T>(
  context: ResticContext,
  tools: LockTools,
  attempt: (retryLockSeconds: number | undefined) => Promise<Outcome<T>>,
  waiting: (cause: string) => void,
): Promise<PastLock<T>> {
  const first = await attempt(undefined);
  if (first.ok || first.error.code !== "repository_locked") return ended(first);
  const before = await readLocks(context, tools);
  const removed = before !== undefined && allDead(before) && (await removeDead(context, tools, before));
  if (!removed) {
    const holder = before?.find((lock) => lock.state === "live") ?? before?.[0];
    const cause = holder === undefined ? first.error.message : `locked by ${inWords(holder)}`;
    tools.log("manager", `The repository is ${cause}. Waiting for it, an hour at most.`);
    waiting(cause.slice(0, 1_024));
  }
  const second = await attempt(removed ? undefined : RETRY_LOCK_SECONDS);
  if (second.ok || second.error.code !== "repository_locked") return ended(second);
  const error = toJobError(second.error);
  const locks = await readLocks(context, tools);
  return { ok: false, error: error && { ...error, ...(locks === undefined ? {} : { locks }) } };
}

function ended<T>(outcome: Outcome<T>): PastLock<T> {
  return outcome.ok ? outcome : { ok: false, error: toJobError(outcome.error) };
}

/** A machine's own process is looked up; of another machine's only its clock tells. */
function pidAlive(pid: number): boolean {
  return identifyProcess(pid) !== undefined;
}

/** The locks as the protocol tells of them. */
export function lockStates(locks: readonly Lock[], now: number): LockState[] {
  const at = { hostname: hostname(), now, pidAlive };
  return locks.slice(0, LOCKS_LISTED).map((lock) => {
    const judged = judgeLock(lock, at);
    const time = Date.parse(lock.time);
    return {
      id: lock.id,
      hostname: lock.hostname.slice(0, 1_024),
      username: lock.username.slice(0, 1_024),
      pid: Math.max(0, lock.pid),
      exclusive: lock.exclusive,
      refreshed_at: Number.isNaN(time) ? null : new Date(time).toISOString(),
      age_seconds: Math.floor(judged.ageMs / 1_000),
      state: judged.state === "live" ? "live" : judged.why,
    };
  });
}

async function readLocks(context: ResticContext, tools: LockTools): Promise<LockState[] | undefined> {
  const { cancel, kill, timers } = tools;
  const found = await listLocks(context, { deadlineMs: LIST_DEADLINE_MS }, { cancel, kill });
  return found.ok ? lockStates(found.value.locks, timers.now()) : undefined;
}

/**
 * Certainly nobody's any more, all of them. Not when one names a process that lives here: restic's `unlock` sends that process a signal,
 * and it may be a stranger's that got the number.
 */
function allDead(locks: readonly LockState[]): boolean {
  const here = hostname();
  return (
    locks.length > 0 &&
    locks.every((lock) => lock.state !== "live" && !(lock.hostname === here && pidAlive(lock.pid)))
  );
}

async function removeDead(context: ResticContext, tools: LockTools, locks: LockState[]): Promise<boolean> {
  const { cancel, kill, log } = tools;
  const done = await unlock(context, {}, { cancel, kill });
  if (!done.ok || done.value.removed === 0) return false;
  for (const lock of locks) log("manager", `Removed a lock that was left over: ${inWords(lock)}`);
  return true;
}

function inWords({ hostname: host, pid, username, exclusive, age_seconds, state }: LockState): string {
  const why = { live: "", process_gone: ", which is no longer running", expired: ", given up by it" }[state];
  const minutes = Math.floor(age_seconds / 60);
  const age = minutes === 0 ? `${age_seconds} s` : `${minutes} min`;
  return `process ${pid} of ${username} on ${host}${exclusive ? " (alone)" : ""}, ${age} old${why}`;
}
