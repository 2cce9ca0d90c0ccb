import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { RetentionLimits } from "../platform/retention-limits.ts";
import { JOBS_A_STEP, REST_MS, ROWS_A_STEP, type Broom } from "./broom.ts";
import {
  allLogBytes,
  closeLogs,
  deleteChunks,
  hostOverLogBytes,
  jobsWithLog,
  markLogsRemoved,
  START,
  withNewerLog,
  type EndedJob,
} from "./store.ts";

/** A walk through the jobs that have a log, from the oldest on. */
interface Walk {
  after: { finishedAt: number; id: string };
  until: number;
  hostId?: HostId;
  /** Stops once so many bytes are freed. */
  bytes: number;
  why: "age" | "room";
}
interface Step {
  /** Where the walk stands now; null when nothing is left to look at. */
  after: Walk["after"] | null;
  freed: number;
}

/**
 * Removes the oldest logs of the walk, but never the newest log of a kind of job of a host: it says how that kind last went. A log is
 * first marked as removed, then its chunks go, a bounded number at a time, then it is closed.
 */
async function removeOldest(db: Database, walk: Walk, now: number): Promise<Step> {
  return db.transaction().execute(async (trx) => {
    const found = await jobsWithLog(trx, { ...walk, limit: JOBS_A_STEP });
    const last = found.at(-1);
    if (last === undefined) return { after: null, freed: 0 };
    const mayGo = await withNewerLog(
      trx,
      found.map((job) => job.id),
    );
    const due = upTo(
      walk.bytes,
      found.filter((job) => mayGo.has(job.id)),
    );
    const end = { finishedAt: last.finished_at, id: last.id };
    if (due.length === 0) return { after: end, freed: 0 };
    const drained = await removeLogs(trx, due, now, walk.why);
    if (!drained) return { after: walk.after, freed: 0 };
    return { after: end, freed: due.reduce((sum, job) => sum + job.log_bytes, 0) };
  });
}

/** As many of the first jobs as free `bytes`. */
function upTo(bytes: number, jobs: EndedJob[]): EndedJob[] {
  let sum = 0;
  const end = jobs.findIndex((job) => (sum += job.log_bytes) >= bytes);
  return end === -1 ? jobs : jobs.slice(0, end + 1);
}

/** Marks and deletes. @returns false when chunks are left: the next step goes on with the same jobs. */
export async function removeLogs(
  trx: Trx,
  jobs: EndedJob[],
  now: number,
  why: "age" | "room",
): Promise<boolean> {
  const ids: JobId[] = jobs.map((job) => job.id);
  await markLogsRemoved(trx, ids, now, why);
  if ((await deleteChunks(trx, ids, ROWS_A_STEP)) >= ROWS_A_STEP) return false;
  await closeLogs(trx, jobs);
  return true;
}

/** Logs of jobs that ended long ago. */
export function oldLogs(db: Database, { logsMs }: RetentionLimits): Broom {
  let after: Walk["after"] = START;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    what: "old logs",
    async sweep(now) {
      if (logsMs === null || now < restsUntil) return false;
      const step = await removeOldest(
        db,
        { after, until: now - logsMs, bytes: Number.POSITIVE_INFINITY, why: "age" },
        now,
      );
      after = step.after ?? START;
      if (step.after === null) restsUntil = now + REST_MS;
      return step.after !== null;
    },
  };
}

/** The oldest logs, while all logs together take too much. */
export function tooMuchLog(db: Database, { logBytes }: RetentionLimits): Broom {
  let after: Walk["after"] = START;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    what: "the oldest logs, to make room",
    async sweep(now) {
      if (logBytes === null || now < restsUntil) return false;
      const excess = (await allLogBytes(db)) - logBytes;
      if (excess <= 0) {
        after = START;
        return false;
      }
      const step = await removeOldest(db, { after, until: now, bytes: excess, why: "room" }, now);
      after = step.after ?? START;
      // Only logs that stay are left, and they are still too much.
      if (step.after === null) restsUntil = now + REST_MS;
      return step.after !== null;
    },
  };
}

/** The oldest logs of each host whose own take too much. */
export function tooMuchLogOfAHost(db: Database, { logBytesPerHost }: RetentionLimits): Broom {
  /** Hosts up to here have been seen to; where the walk through the next one's logs stands. */
  let hostsDone = "";
  let after: Walk["after"] = START;
  let restsUntil = Number.NEGATIVE_INFINITY;
  return {
    what: "the oldest logs of a host, to make room",
    async sweep(now) {
      if (logBytesPerHost === null || now < restsUntil) return false;
      const host = await hostOverLogBytes(db, logBytesPerHost, hostsDone);
      if (host === undefined) {
        if (hostsDone !== "") restsUntil = now + REST_MS;
        hostsDone = "";
        after = START;
        return false;
      }
      const bytes = host.log_bytes - logBytesPerHost;
      const step = await removeOldest(db, { after, until: now, hostId: host.id, bytes, why: "room" }, now);
      after = step.after ?? START;
      // The host's last logs stay, however large.
      if (step.after === null || step.freed >= bytes) {
        hostsDone = host.id;
        after = START;
      }
      return true;
    },
  };
}
