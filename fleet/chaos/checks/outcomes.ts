import { JobError } from "@restic-manager/protocol/job-error";
import type { JobRecord } from "@restic-manager/server/platform/db/schema";
import type { ChaosHost } from "../host.ts";
import type { Ledger } from "../ledger.ts";
import { markerOf } from "../marker.ts";

/** A job as the server's store has it. */
export type StoredJob = JobRecord;

/** Nothing here makes an agent lose a job or its memory: a job that ends so was given up by a defect. */
const NEVER: readonly string[] = ["agent_lost_job", "agent_state_lost", "agent_outdated", "invalid_input"];

/** Each order has exactly one outcome, which does not change, and both ends agree on it. */
export function checkOutcomes(
  hosts: readonly ChaosHost[],
  ledger: Ledger,
  jobs: ReadonlyMap<string, StoredJob>,
): string[] {
  const wrong: string[] = [];
  for (const order of ledger.orders.values())
    if (order.jobId !== undefined && !jobs.has(order.jobId))
      wrong.push(`job ${order.jobId} of order ${order.marker} was answered and is not in the store`);
  const byMarker = new Map<number, string>();
  for (const job of jobs.values()) {
    const marker = markerOf(job.input);
    if (marker !== undefined) {
      const other = byMarker.get(marker);
      if (other !== undefined) wrong.push(`jobs ${other} and ${job.id} are both of order ${marker}`);
      byMarker.set(marker, job.id);
    }
    wrong.push(...ofOne(job, ledger));
  }
  for (const host of hosts) wrong.push(...agreement(host, jobs));
  return wrong;
}

function ofOne(job: StoredJob, ledger: Ledger): string[] {
  const name = `job ${job.id} (${job.kind}, order ${markerOf(job.input) ?? "none"})`;
  if (job.state === "queued" || job.state === "running") return [`${name} is still ${job.state}`];
  const outcome = JSON.stringify([job.state, job.result, job.error, job.started_at, job.finished_at]);
  const before = ledger.outcomes.get(job.id);
  ledger.outcomes.set(job.id, outcome);
  const wrong: string[] = [];
  if (before !== undefined && before !== outcome)
    wrong.push(`${name} had the outcome ${before} and now has ${outcome}`);
  const { created_at, started_at, finished_at } = job;
  const inOrder = [created_at, started_at ?? created_at, finished_at ?? created_at];
  if (inOrder.some((at, i) => at < (inOrder[i - 1] ?? at)))
    wrong.push(`${name} was made, begun and over at ${inOrder.join(", ")}: in no order`);
  const error = job.error === null ? undefined : JobError.parse(JSON.parse(job.error));
  if (error !== undefined && NEVER.includes(error.code))
    wrong.push(`${name} ended as ${error.code}: ${error.message}`);
  const order = ledger.orders.get(markerOf(job.input) ?? 0);
  if (order?.quiet === true && job.state !== "succeeded")
    wrong.push(`${name} ${job.state} although nothing was done to its host: ${job.error}`);
  return wrong;
}

/** What the agent remembers is what the server shows. */
function agreement(host: ChaosHost, jobs: ReadonlyMap<string, StoredJob>): string[] {
  return host.jobs().flatMap(({ id, state, outcome }) => {
    const here = jobs.get(id);
    if (here === undefined)
      return [`h${host.index} has job ${id} (${state}), which the server does not know`];
    const there = outcome === null ? state : (JSON.parse(outcome) as { state: string }).state;
    return there === here.state
      ? []
      : [`job ${id} is ${here.state} at the server and ${there} at h${host.index}`];
  });
}
