import { jobKinds, type JobKind } from "@restic-manager/protocol/jobs";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobErrorCode } from "@restic-manager/protocol/job-error";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import { parseResult, type JobOutcome } from "@restic-manager/protocol/outcome";
import type { Touched } from "../link/touched.ts";
import type { JobRecord, Trx } from "../platform/db/schema.ts";
import { jobKindsHere } from "./kinds.ts";
import { addHostLogBytes, coveredLines, growLog, insertGap, setLogBytes, setMissing } from "./log-store.ts";
import { serverTime } from "./agent-time.ts";
import {
  clockSkew,
  insertJob,
  jobOfHost,
  setAccepted,
  setFinished,
  setRunning,
  type Ending,
} from "./store.ts";

/** The durable messages that are about a job. */
export type JobMessage = Exclude<Extract<DurableMessage, { job_id: JobId }>, { type: "diff.changes" }>;

/**
 * Writes down what an agent reports of a job. Jobs move only by compare-and-set: what does not fit the state changes nothing, and
 * an agent that still works on a job which is over here is told to let go.
 *
 * @param now the server's clock, in milliseconds since 1970.
 */
export async function recordJob(
  trx: Trx,
  hostId: HostId,
  message: JobMessage,
  touched: Touched,
  now: number,
): Promise<void> {
  const job = await jobOfHost(trx, hostId, message.job_id);
  if (job === undefined) {
    if (message.type === "job.finished") await recreate(trx, hostId, message, touched, now);
    return;
  }
  const time = agentTime(job, job.clock_skew_ms, now);
  switch (message.type) {
    case "job.accepted":
      if (isOver(job)) return tooLate(touched, hostId, message);
      await setAccepted(trx, job.id, time(message.at));
      break;
    case "job.started":
      if (isOver(job)) return tooLate(touched, hostId, message);
      if (!(await setRunning(trx, job.id, time(message.at)))) return;
      break;
    case "log.gap":
      if (!(await insertGap(trx, job.id, message.first_line, message.count))) return;
      await growLog(trx, job.id, message.first_line + message.count, message.count);
      touched.logs.add(job.id);
      return;
    case "job.finished":
      if (isOver(job)) touched.unfit.push({ jobId: job.id, hostId, event: message.type });
      await finish(trx, job, message, time);
      touched.logs.add(job.id);
      break;
  }
  touched.jobs.set(job.id, hostId);
  touched.hosts.add(hostId);
}

const LOST: Record<"agent_lost_job" | "agent_state_lost", string> = {
  agent_lost_job:
    "The agent came back without this job. Whether restic finished is not known; the next snapshot list tells.",
  agent_state_lost:
    "The agent lost its memory (its state file was deleted or restored) while it had this job. The next snapshot list tells what was saved.",
};

/** Ends jobs that their agent came back without, and gives those that were not over. */
export async function finishLost(
  trx: Trx,
  lost: { jobId: JobId; why: keyof typeof LOST & JobErrorCode }[],
  now: number,
  touched: Touched,
): Promise<Pick<JobRecord, "host_id" | "kind">[]> {
  const ended: Pick<JobRecord, "host_id" | "kind">[] = [];
  for (const { jobId, why } of lost) {
    const ending: Ending = { state: "failed", started_at: null, error: { code: why, message: LOST[why] } };
    if (!(await setFinished(trx, jobId, now, ending))) continue;
    const job = await trx
      .selectFrom("jobs")
      .select(["id", "host_id", "kind", "log_bytes"])
      .where("id", "=", jobId)
      .executeTakeFirstOrThrow();
    await setLogBytes(trx, job, (await coveredLines(trx, jobId)).bytes);
    touched.jobs.set(jobId, job.host_id);
    touched.logs.add(jobId);
    touched.hosts.add(job.host_id);
    ended.push(job);
  }
  return ended;
}

type Finished = Extract<JobMessage, { type: "job.finished" }>;

/** Reads an agent's instants by the server's clock. */
type ReadTime = (at: string) => number;

function agentTime(job: Pick<JobRecord, "created_at">, skewMs: number | null, now: number): ReadTime {
  return (at) => serverTime(at, { skewMs, createdAt: job.created_at, now });
}

async function finish(trx: Trx, job: JobRecord, message: Finished, time: ReadTime): Promise<void> {
  const { stored, bytes } = await coveredLines(trx, job.id);
  // What the agent wrote and nobody has is missing for good: nothing comes after the outcome.
  const lines = Math.max(message.log_lines, job.log_lines);
  const missing = Math.max(0, lines - stored);
  const ending = endingOf(job.kind, message, time);
  const log = { lines, missing, bytes };
  if (await setFinished(trx, job.id, time(message.finished_at), ending, log))
    return await addHostLogBytes(trx, job.host_id, bytes - job.log_bytes);
  await setMissing(trx, job.id, lines, missing);
  await setLogBytes(trx, job, bytes);
}

/** A job this server has forgotten, since it was restored from an older copy. */
async function recreate(
  trx: Trx,
  hostId: HostId,
  message: Finished,
  touched: Touched,
  now: number,
): Promise<void> {
  if (message.recreate === undefined) return;
  const { input, actor_kind, created_at } = message.recreate;
  const createdAt = Math.min(Date.parse(created_at), now);
  const time = agentTime({ created_at: createdAt }, await clockSkew(trx, hostId), now);
  const ending = endingOf(message.kind, message, time);
  const group = jobKindsHere[message.kind].sourceGroup(input);
  await insertJob(trx, {
    id: message.job_id,
    host_id: hostId,
    kind: message.kind,
    state: ending.state,
    actor_kind,
    actor_id: null,
    actor_name: actor_kind === "user" ? "unknown" : actor_kind,
    source_group_id: group?.id ?? null,
    source_group_name: group?.name ?? null,
    input: JSON.stringify(input),
    result: ending.state === "succeeded" ? ending.result : null,
    error: ending.state === "failed" ? JSON.stringify(ending.error) : null,
    left_behind: ending.state === "succeeded" ? null : (ending.left ?? null),
    issue_count: ending.state === "succeeded" ? ending.issue_count : 0,
    created_at: createdAt,
    started_at: ending.started_at,
    finished_at: Math.max(time(message.finished_at), ending.started_at ?? createdAt),
    log_lines: message.log_lines,
    log_missing: message.log_lines,
  });
  touched.jobs.set(message.job_id, hostId);
  touched.hosts.add(hostId);
}

function endingOf(kind: JobKind, message: Finished, time: ReadTime): Ending {
  const { outcome } = message;
  const started_at = message.started_at === null ? null : time(message.started_at);
  if (outcome.state === "failed")
    return { state: "failed", started_at, error: outcome.error, left: leftOf(kind, outcome.left) };
  if (outcome.state === "cancelled")
    return { state: "cancelled", started_at, left: leftOf(kind, outcome.left) };
  return success(kind, outcome, started_at ?? time(message.finished_at));
}

/** What cannot be read is left out: how the job ended matters more. */
function leftOf(kind: JobKind, left: unknown): string | null {
  const parsed = jobKinds[kind].result.safeParse(left);
  return parsed.success ? JSON.stringify(parsed.data) : null;
}

function success(
  kind: JobKind,
  outcome: Extract<JobOutcome, { state: "succeeded" }>,
  started_at: number,
): Ending {
  try {
    const result = parseResult(kind, outcome.result);
    return {
      state: "succeeded",
      started_at,
      result: JSON.stringify(result),
      issue_count: jobKindsHere[kind].issues(result),
    };
  } catch {
    const message = "The agent reported success, but its report could not be read.";
    return {
      state: "failed",
      started_at,
      error: { code: "agent_outdated", message, hint: "Update the agent." },
    };
  }
}

/** The job is over here and its agent still holds it: it must let go. */
function tooLate(touched: Touched, hostId: HostId, message: JobMessage): void {
  touched.letGo.set(message.job_id, hostId);
  touched.unfit.push({ jobId: message.job_id, hostId, event: message.type });
}

function isOver(job: JobRecord): boolean {
  return job.finished_at !== null;
}
