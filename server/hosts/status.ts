import { HOST_STATUSES, type HostStatus } from "@restic-manager/protocol/api/hosts";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { JobKind } from "@restic-manager/protocol/jobs";
import type { UpkeepTrouble } from "./upkeep-trouble.ts";

/** All that a host's status follows from. Instants are milliseconds since 1970. */
export interface HostFacts {
  online: boolean;
  /** Null for a host whose agent has never connected. */
  lastSeenAt: number | null;
  /** What the agent found when it last connected; null before that. */
  restic: "ok" | "missing" | "too_old" | null;
  /** The last backup that ended by itself: a cancelled one says nothing about the host. */
  lastBackup:
    | { state: "succeeded"; at: number; issues: number }
    | { state: "failed"; at: number; error: JobError }
    | null;
  /** The last attempt to open the repository, if it failed. */
  failedInit: { at: number; error: JobError } | null;
  /** What the repository's maintenance says that somebody must see to. */
  upkeep: UpkeepTrouble | null;
  /** What runs, else what waits first. */
  active: { kind: JobKind; state: "queued" | "running" } | null;
}

/** Why a host stands badly, in words that several hosts can share. */
export interface Cause {
  /** A `JobErrorCode`, `offline`, `issues`, `restic_missing` or `restic_too_old`. */
  code: string;
  message: string;
  /** When it showed, so far as this fact alone says. */
  at: number | null;
}

export interface Standing {
  status: HostStatus;
  /** Place in `HOST_STATUSES`: the lower, the more urgent. */
  rank: number;
  cause: Cause | null;
}

/**
 * Says in one word how a host stands.
 *
 * A job that runs on a connected host is shown over everything: whatever was wrong is being tried again right now, and
 * its outcome is minutes away. A job that only waits proves nothing yet, so it hides no trouble.
 */
export function hostStatus(facts: HostFacts): Standing {
  if (facts.online && facts.active?.state === "running") return standing("running", null);
  const trouble = troubleOf(facts);
  if (trouble !== null) return trouble;
  if (facts.active !== null) return standing(facts.active.state, null);
  return standing(facts.lastBackup === null ? "new" : "protected", null);
}

/** The most urgent thing wrong, or null. */
function troubleOf(facts: HostFacts): Standing | null {
  const { lastBackup, restic, upkeep } = facts;
  const failure = failureOf(facts);
  // Without restic everything fails; the missing program is what to see to, not the failures it causes.
  const failedForLackOfRestic =
    failure !== null && (failure.code === "restic_missing" || failure.code === "restic_too_old");
  const noRestic = restic === "missing" || restic === "too_old";
  if (failure !== null && !(failedForLackOfRestic && noRestic)) return standing("failed", failure);
  // Backups go on into a damaged repository, and nobody would know before a restore.
  if (upkeep?.sort === "damaged") return standing("failed", causeOf(upkeep));
  if (noRestic)
    return standing("restic", {
      code: `restic_${restic}`,
      message:
        restic === "missing"
          ? "restic is not installed on this machine"
          : "the restic on this machine is too old",
      at: null,
    });
  if (!facts.online && facts.lastSeenAt !== null)
    return standing("offline", {
      code: "offline",
      message: "the agent is not connected",
      at: facts.lastSeenAt,
    });
  if (lastBackup?.state === "succeeded" && lastBackup.issues > 0)
    return standing("issues", {
      code: "issues",
      message: "the last backup left files out",
      at: lastBackup.at,
    });
  return upkeep === null ? null : standing("issues", causeOf(upkeep));
}

function causeOf({ code, message, at }: UpkeepTrouble): Cause {
  return { code, message, at };
}

/** A backup that succeeded after the repository would not open proves that it opens now. */
function failureOf({ lastBackup, failedInit }: HostFacts): Cause | null {
  const failures = [];
  if (lastBackup?.state === "failed") failures.push(lastBackup);
  if (failedInit !== null && !(lastBackup?.state === "succeeded" && lastBackup.at >= failedInit.at))
    failures.push(failedInit);
  const latest = failures.toSorted((a, b) => b.at - a.at)[0];
  return latest === undefined
    ? null
    : { code: latest.error.code, message: latest.error.message, at: latest.at };
}

function standing(status: HostStatus, cause: Cause | null): Standing {
  return { status, rank: HOST_STATUSES.indexOf(status), cause };
}
