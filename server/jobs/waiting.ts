import { backOffMs } from "@restic-manager/protocol/back-off";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { endWaiting, waitingForHost, type WaitingJob } from "./waiting-store.ts";

/** What decides how long a job waits for a host that is away. Instants in milliseconds since 1970. */
export interface Patience {
  createdAt: number;
  /** Null when the group is gone. */
  group: { retryMax: number; retryBackoffSeconds: number } | null;
  /** False when the job was started from a schedule that is gone. */
  scheduleExists: boolean;
}

/** `wait`: `tries` times nobody was there, and the next look that counts is at `nextAt`. */
export type Waiting =
  | { verdict: "wait"; tries: number; nextAt: number }
  | { verdict: "give_up"; tries: number }
  | { verdict: "drop"; why: "group_gone" | "schedule_gone" };

/**
 * Says whether a job that no agent has got yet goes on waiting: after each try twice as long, half an hour at most, and after the
 * group's number of tries no more. A host that comes back before gets it at once, whatever this says.
 */
export function judgeWaiting({ createdAt, group, scheduleExists }: Patience, now: number): Waiting {
  if (group === null) return { verdict: "drop", why: "group_gone" };
  if (!scheduleExists) return { verdict: "drop", why: "schedule_gone" };
  let nextAt = createdAt;
  for (let tries = 0; tries < group.retryMax; tries += 1) {
    nextAt += backOffMs(group.retryBackoffSeconds, tries + 1);
    if (now < nextAt) return { verdict: "wait", tries, nextAt };
  }
  return { verdict: "give_up", tries: group.retryMax };
}

export interface WaitingParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  refreshHost: (trx: Trx, hostId: HostId) => Promise<unknown>;
}

const SYSTEM = { kind: "system" as const, id: null, name: "restic-manager", address: null };

/** Ends what has waited long enough for its host, and what nobody wants any more. Run every 30 s; several servers may. */
export async function abandonWaiting(parts: WaitingParts): Promise<void> {
  const { db, clock } = parts;
  for (const job of await waitingForHost(db)) {
    const verdict = judgeWaiting(patienceOf(job), clock.now());
    if (verdict.verdict !== "wait") await end(parts, job, verdict);
  }
}

function patienceOf(job: WaitingJob): Patience {
  const { retry_max, retry_backoff_seconds } = job;
  return {
    createdAt: job.created_at,
    group:
      retry_max === null || retry_backoff_seconds === null
        ? null
        : { retryMax: retry_max, retryBackoffSeconds: retry_backoff_seconds },
    scheduleExists: job.schedule_id === null || job.known_schedule !== null,
  };
}

async function end(
  { db, clock, bus, audit, refreshHost }: WaitingParts,
  job: WaitingJob,
  verdict: Exclude<Waiting, { verdict: "wait" }>,
): Promise<void> {
  const error: JobError = {
    code: "host_offline",
    message: `${job.host_name} was not connected, and after ${"tries" in verdict ? verdict.tries : 0} tries this job was given up.`,
    hint: "Run it again when the machine is connected. Its source group says how often is tried.",
  };
  const ended = await db.transaction().execute(async (trx) => {
    if (!(await endWaiting(trx, job.id, clock.now(), verdict.verdict === "give_up" ? error : null)))
      return false;
    await audit.record(trx, {
      actor: SYSTEM,
      action: "pending_run.abandoned",
      target: { kind: "host", id: job.host_id, name: job.host_name },
      detail: {
        job_id: job.id,
        source_group: job.source_group_name,
        why: verdict.verdict === "give_up" ? "host_offline" : verdict.why,
        ...("tries" in verdict ? { tries: verdict.tries } : {}),
      },
    });
    await refreshHost(trx, job.host_id);
    return true;
  });
  if (!ended) return;
  bus.publish("job.changed", { jobId: job.id satisfies JobId, hostId: job.host_id });
  bus.publish("host.changed", { hostId: job.host_id });
}
