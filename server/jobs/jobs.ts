import type { Job } from "@restic-manager/protocol/api/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, JobRecord, Trx } from "../platform/db/schema.ts";
import { askInShapes } from "../platform/db/shapes.ts";
import { coveredLines, setLogBytes } from "./log-store.ts";
import type { ProgressBoard } from "./progress.ts";
import { cancelUnsent, hostNames, jobById, jobsById, setCancelRequested, setFinished } from "./store.ts";
import { turnHolders } from "./turns.ts";
import { viewJob } from "./view.ts";
import type { Audit, AuditActor } from "../platform/audit.ts";

export interface JobsParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  progress: ProgressBoard;
  /** Recomputes what follows from a host's jobs, inside the transaction that changed one. */
  refreshHost: (trx: Trx, hostId: HostId) => Promise<unknown>;
  /** Does what else follows from the end of a job, and gives those that waited for it. */
  jobOver: (trx: Trx, job: Pick<JobRecord, "host_id" | "kind">) => Promise<{ id: JobId; host_id: HostId }[]>;
}

/** Stored jobs as the API shows them, in the same order. */
export async function viewJobs(parts: Pick<JobsParts, "db" | "progress">, jobs: JobRecord[]): Promise<Job[]> {
  const hosts = await hostNames(
    parts.db,
    jobs.map((job) => job.host_id),
  );
  const holders = await turnHolders(parts.db, jobs);
  return jobs.map((job) => {
    const host = hosts.get(job.host_id) ?? { name: "", online: false };
    return viewJob(job, { host, progress: parts.progress.latest(job.id), waitsOn: holders.get(job.id) });
  });
}

/** One job as the API shows it; `undefined` when there is none. */
export async function findJob(
  parts: Pick<JobsParts, "db" | "progress">,
  id: JobId,
): Promise<Job | undefined> {
  const job = await jobById(parts.db, id);
  return job === undefined ? undefined : (await viewJobs(parts, [job]))[0];
}

/** Some jobs as the API shows them, in any order; those that are gone are left out. */
export async function findJobs(
  parts: Pick<JobsParts, "db" | "progress">,
  ids: readonly JobId[],
): Promise<Job[]> {
  return await viewJobs(parts, await jobsById(parts.db, ids));
}

/** The hosts of those jobs that can still change. */
export async function ownersOfActive(db: Database, ids: readonly JobId[]): Promise<Map<JobId, HostId>> {
  const rows = await askInShapes(ids, (part) =>
    db
      .selectFrom("jobs")
      .select(["id", "host_id"])
      .where("id", "in", part)
      .where("finished_at", "is", null)
      .execute(),
  );
  return new Map(rows.map(({ id, host_id }) => [id, host_id]));
}

/**
 * Ends a job early. One that never left the server is cancelled at once; any other is for its agent to end, and what the agent then
 * reports is the outcome. `finished`: it was over before.
 */
export async function cancelJob(
  parts: JobsParts,
  id: JobId,
  options: { now: boolean; actor: AuditActor },
): Promise<"unknown" | "finished" | "asked"> {
  const { db, clock, bus, audit } = parts;
  const verdict = await db.transaction().execute(async (trx) => {
    const job = await jobById(trx, id);
    if (job === undefined) return { verdict: "unknown" as const };
    if (job.finished_at !== null) return { verdict: "finished" as const };
    const at = clock.now();
    const ended = await cancelUnsent(trx, id, at);
    const next = ended ? await parts.jobOver(trx, job) : [];
    if (ended) await parts.refreshHost(trx, job.host_id);
    else await setCancelRequested(trx, id, at);
    // Once for the wish, and once more for the wish not to wait.
    if (ended || job.cancel_requested_at === null || options.now) {
      await audit.record(trx, {
        actor: options.actor,
        action: "job.cancelled",
        target: { kind: "job", id, name: `${job.kind} ${job.source_group_name ?? ""}`.trim() },
        detail: { now: options.now, host_id: job.host_id },
      });
    }
    return { verdict: "asked" as const, ended, hostId: job.host_id, next };
  });
  if (verdict.verdict !== "asked") return verdict.verdict;
  const { hostId, ended, next } = verdict;
  bus.publish("job.changed", { jobId: id, hostId });
  bus.publish("host.changed", { hostId });
  if (!ended) bus.publish("job.cancel", { jobId: id, hostId, now: options.now });
  passOn(bus, next);
  return "asked";
}

const GIVEN_UP: JobError = {
  code: "given_up",
  message: "The machine is away and somebody gave up waiting for it. Whether the job ran there is not known.",
};

/**
 * Ends a job whose machine took it and has not come back, so that nothing waits for it any more. Should the machine return, it is told
 * to let go of it, and whatever it reports of it changes nothing. `not_lost`: its machine is connected, or never had it.
 */
export async function giveUpJob(
  parts: JobsParts,
  id: JobId,
  actor: AuditActor,
): Promise<"unknown" | "finished" | "not_lost" | "given_up"> {
  const { db, clock, bus, audit } = parts;
  const {
    verdict,
    hostId,
    next = [],
  } = await db.transaction().execute(async (trx) => {
    const job = await jobById(trx, id);
    if (job === undefined) return { verdict: "unknown" as const };
    if (job.finished_at !== null) return { verdict: "finished" as const };
    const host = (await hostNames(trx, [job.host_id])).get(job.host_id);
    if (job.sent_at === null || host?.online === true) return { verdict: "not_lost" as const };
    await setFinished(trx, id, clock.now(), { state: "failed", started_at: null, error: GIVEN_UP });
    await setLogBytes(trx, job, (await coveredLines(trx, id)).bytes);
    const following = await parts.jobOver(trx, job);
    await parts.refreshHost(trx, job.host_id);
    await audit.record(trx, {
      actor,
      action: "job.given_up",
      target: { kind: "job", id, name: `${job.kind} ${job.source_group_name ?? ""}`.trim() },
      detail: { host_id: job.host_id, was: job.state },
    });
    return { verdict: "given_up" as const, hostId: job.host_id, next: following };
  });
  if (hostId === undefined) return verdict;
  bus.publish("job.changed", { jobId: id, hostId });
  bus.publish("job.log", { jobId: id });
  bus.publish("host.changed", { hostId });
  passOn(bus, next);
  return verdict;
}

/** The repository is free for those that waited. */
function passOn(bus: Bus, next: readonly { id: JobId; host_id: HostId }[]): void {
  for (const { id: jobId, host_id: hostId } of next) bus.publish("job.queued", { jobId, hostId });
}
