import type { DiffRequest } from "@restic-manager/protocol/api/diff";
import type { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { hostById, snapshotById, snapshotsBefore } from "./store.ts";

export interface CompareParts {
  db: Database;
  audit: Audit;
  createJob: (trx: Trx, job: JobOrder & { hostId: HostId; actor: UserActor }) => Promise<{ id: JobId }>;
  announceJob: (hostId: HostId, jobId: JobId) => void;
}

/**
 * Queues a comparison of two snapshots of a host; of one with its predecessor when only that is named.
 *
 * @throws ApiProblem `not_found`, `host_offline`, `conflict` when there is no predecessor.
 */
export async function compareSnapshots(
  { db, audit, createJob, announceJob }: CompareParts,
  hostId: HostId,
  { from: wanted, to: toId, when_offline }: DiffRequest,
  actor: UserActor,
): Promise<JobId> {
  const jobId = await db.transaction().execute(async (trx) => {
    const host = await hostById(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const to = await mustBe(trx, hostId, toId);
    const from =
      wanted === undefined ? await predecessorOf(trx, hostId, to) : await mustBe(trx, hostId, wanted);
    if (from === undefined)
      throw new ApiProblem("conflict", "there is no snapshot of the same folders before this one", {
        hint: "name the one to compare with",
      });
    if (when_offline === "refuse" && host.online !== 1)
      throw new ApiProblem("host_offline", `${host.name} is not connected`, {
        hint: "its own agent compares; it can when the machine is back",
      });
    const job = await createJob(trx, {
      kind: "diff",
      input: {
        from: from.id,
        to: to.id,
        ...(from.tree === undefined ? {} : { from_tree: from.tree }),
        ...(to.tree === undefined ? {} : { to_tree: to.tree }),
      },
      hostId,
      actor,
    });
    await audit.record(trx, {
      actor,
      action: "job.run_now",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { kind: "diff", job_id: job.id, from: from.id, to: to.id },
    });
    return job.id;
  });
  announceJob(hostId, jobId);
  return jobId;
}

async function mustBe(trx: Trx, hostId: HostId, id: ResticId): Promise<Snapshot> {
  const snapshot = await snapshotById(trx, hostId, id);
  if (snapshot === undefined)
    throw new ApiProblem("not_found", `this host has no snapshot ${id.slice(0, 8)}`);
  return snapshot;
}

/** The one before it of the same folders and tags. */
async function predecessorOf(trx: Trx, hostId: HostId, to: Snapshot): Promise<Snapshot | undefined> {
  for await (const one of snapshotsBefore(trx, hostId, Date.parse(to.time)))
    if (one.hostname === to.hostname && same(one.paths, to.paths) && same(one.tags, to.tags)) return one;
  return undefined;
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());
}
