import type { LockStatus } from "@restic-manager/protocol/api/repository-page";
import type { LockState } from "@restic-manager/protocol/lock-state";
import { formatDuration } from "../format/durations.ts";
import { countOf } from "../format/numbers.ts";

type Locked = Extract<LockStatus, { state: "locked" }>;

/** What stands in the way, as a title. */
export function lockTitle({ stale, locks }: Locked): string {
  if (!stale) return "The repository is locked";
  const left = locks.filter(({ state }) => state !== "live").length;
  return `${left > 1 ? `${countOf(left, "stale lock")} block` : "A stale lock blocks"} forget, prune and check`;
}

/** Whose a lock is and what is known of its holder. */
export function lockWords(lock: LockState): string {
  const who = `${lock.exclusive ? "Exclusive, by" : "By"} ${lock.username === "" ? "process" : `${lock.username}, process`} ${lock.pid} on ${lock.hostname}`;
  const age = `${formatDuration(lock.age_seconds * 1_000)} old`;
  switch (lock.state) {
    case "process_gone":
      return `${who}, ${age}. That process is gone.`;
    case "expired":
      return `${who}, ${age}. A living restic would have refreshed it.`;
    case "live":
      return `${who}, ${age}. In use, as far as can be told.`;
  }
}
