import { hostname } from "node:os";
import type { ResticContext } from "@restic-manager/restic/context";
import { killAfterMs } from "@restic-manager/restic/ladder";
import { endProcessGroup } from "@restic-manager/restic/orphan";
import { identifyProcess, type ProcessIdentity } from "@restic-manager/restic/process-start";
import type { Timers } from "@restic-manager/restic/timers";
import type { CutBackup } from "./cut-hook.ts";
import type { HookMark } from "./hook-mark.ts";
import type { HeldJob, Journal } from "./journal.ts";
import type { Log } from "./log.ts";

/** As a hook that runs too long has it. */
const KILL_AFTER_MS = 5_000;

export interface RecoveryParts {
  journal: Journal;
  timers: Timers;
  log: Log;
  /** `undefined` when there is no restic or no repository to look at. */
  restic: () => ResticContext | undefined;
  /** What is known of hooks that had begun, and what runs the one after a backup that was cut off. Without it there are no hooks. */
  hooks?: { mark: HookMark; after: (job: CutBackup) => Promise<void> };
}

/**
 * Ends what an earlier life of this agent left behind, before anything new runs: each job that was running is reported as
 * `agent_restarted`, once; its restic, if that is still the very process, is ended by the ladder first; and a lock that is provably
 * that dead process's own is removed. A backup whose hooks had begun gets its last one before it is reported; whatever that one does, the
 * report follows. Returns the jobs that were accepted and never started.
 */
export async function recover(parts: RecoveryParts): Promise<HeldJob[]> {
  const held = parts.journal.held();
  const cut = held.filter((job) => job.state === "running");
  const pids = new Set<number>();
  for (const job of cut) {
    if (job.process !== null) {
      pids.add(job.process.pid);
      await endOrphan("restic", job.process, killAfterMs.write, job.id, parts);
    }
    await tidyUp(job, parts);
    parts.journal.finished(job.id, {
      state: "failed",
      error: {
        code: "agent_restarted",
        message: "The agent or its machine stopped while this job ran.",
        hint: "Run it again. A snapshot that was saved nevertheless is in the list.",
      },
    });
    parts.journal.markReportDue();
  }
  if (pids.size > 0) await removeOwnLock(pids, parts);
  return held.filter((job) => job.state === "accepted");
}

/** Only for a job whose hooks had begun. A hook that still runs is ended first: it may wait for a restic that is no more. */
async function tidyUp(job: HeldJob, parts: RecoveryParts): Promise<void> {
  const left = parts.hooks?.mark.left();
  if (parts.hooks === undefined || left?.job !== job.id || job.kind !== "backup") return;
  if (left.process !== undefined) await endOrphan("hook", left.process, KILL_AFTER_MS, job.id, parts);
  try {
    await parts.hooks.after(job);
  } catch (error) {
    const cause = error instanceof Error ? error : new Error("unknown error");
    parts.log.error("could not run the hook after a backup that was cut off", { job: job.id, error: cause });
  }
}

async function endOrphan(
  what: "restic" | "hook",
  process: ProcessIdentity,
  afterMs: number,
  job: string,
  { timers, log }: RecoveryParts,
): Promise<void> {
  const end = await endProcessGroup(process, { timers, killAfterMs: afterMs });
  if (end !== "gone")
    log.warn(`ended a ${what} that an earlier life of this agent had started`, { job, end });
}

/** Only when a lock names this machine and one of those dead processes: `unlock` itself then takes stale locks only. */
async function removeOwnLock(pids: ReadonlySet<number>, { restic, log }: RecoveryParts): Promise<void> {
  const context = restic();
  if (context === undefined) return;
  const { isProvablyOwnStale, listLocks } = await import("@restic-manager/restic/commands/list-locks");
  const { unlock } = await import("@restic-manager/restic/commands/unlock");
  const found = await listLocks(context, { deadlineMs: 15_000 });
  if (!found.ok) return log.warn("could not look for locks left behind", { why: found.error.message });
  const here = { hostname: hostname(), pidAlive: (pid: number) => identifyProcess(pid) !== undefined };
  const own = found.value.locks.filter((lock) => pids.has(lock.pid) && isProvablyOwnStale(lock, here));
  if (own.length === 0) return;
  const done = await unlock(context);
  if (done.ok) log.info("removed locks left behind by this agent", { removed: done.value.removed });
  else log.warn("could not remove a lock left behind", { why: done.error.message });
}
