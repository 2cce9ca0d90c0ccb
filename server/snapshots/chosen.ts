import type { ForgetSnapshots, TagSnapshots } from "@restic-manager/protocol/api/chosen-snapshots";
import type { HostId, JobId, ResticId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { hostNamed, listedAmong } from "./store.ts";

export interface ChosenParts {
  db: Database;
  audit: Audit;
  createJob: (trx: Trx, job: JobOrder & { hostId: HostId; actor: UserActor }) => Promise<{ id: JobId }>;
  announceJob: (hostId: HostId, jobId: JobId) => void;
  /** Whether credentials that may delete are kept for this host; they are then used. */
  hasAdmin: (trx: Trx, hostId: HostId) => Promise<boolean>;
  /** Whether the everyday ones were seen to be unable to. */
  isAppendOnly: (trx: Trx, hostId: HostId) => Promise<boolean>;
}

/**
 * Queues a change of chosen snapshots' tags.
 *
 * @throws ApiProblem `not_found`, or `admin_creds_required` where it is known that nothing can be removed: each snapshot would be there
 * twice, with and without the tags.
 */
export async function tagSnapshots(
  parts: ChosenParts,
  hostId: HostId,
  { snapshot_ids, add, remove }: TagSnapshots,
  actor: UserActor,
): Promise<JobId> {
  const detail = { add: add.join(", ").slice(0, 1_000), remove: remove.join(", ").slice(0, 1_000) };
  return await order(parts, hostId, snapshot_ids, actor, {
    action: "snapshots.tagged",
    detail,
    hint: "a snapshot with other tags replaces the one it was",
    job: (use_admin, ids) => ({ kind: "tag", input: { snapshot_ids: ids, add, remove, use_admin } }),
  });
}

/**
 * Queues the removal of chosen snapshots.
 *
 * @throws ApiProblem `not_found`, `validation_failed` unless the host's name was typed, `admin_creds_required` where it is known that
 * nothing can be removed.
 */
export async function forgetChosen(
  parts: ChosenParts,
  hostId: HostId,
  { snapshot_ids, confirm_host }: ForgetSnapshots,
  actor: UserActor,
): Promise<JobId> {
  return await order(parts, hostId, snapshot_ids, actor, {
    action: "snapshots.forgotten",
    detail: {},
    hint: "these refused it before; where they may by now, enter them once more",
    confirm: confirm_host,
    job: (use_admin, ids) => ({ kind: "forget_snapshots", input: { snapshot_ids: ids, use_admin } }),
  });
}

interface Order {
  action: "snapshots.tagged" | "snapshots.forgotten";
  detail: Record<string, string>;
  /** What more there is to say where it is known that nothing can be removed. */
  hint: string;
  /** What was typed for the host's name. */
  confirm?: string;
  job: (useAdmin: boolean, ids: ResticId[]) => JobOrder;
}

async function order(
  { db, audit, createJob, announceJob, hasAdmin, isAppendOnly }: ChosenParts,
  hostId: HostId,
  given: readonly ResticId[],
  actor: UserActor,
  { action, detail, confirm, hint, job: jobOf }: Order,
): Promise<JobId> {
  const ids = [...new Set(given)];
  const jobId = await db.transaction().execute(async (trx) => {
    const name = await hostNamed(trx, hostId);
    if (name === undefined) throw new ApiProblem("not_found", "there is no such host");
    if (confirm !== undefined && confirm !== name) {
      const words = `type ${name}: there is no way back`;
      throw new ApiProblem("validation_failed", `confirm_host: ${words}`, {
        fields: { confirm_host: words },
      });
    }
    // A repository may be shared; only what this host's own list shows is its to change.
    const listed = await listedAmong(trx, hostId, ids);
    const missing = ids.find((id) => !listed.has(id));
    if (missing !== undefined)
      throw new ApiProblem("not_found", `this host has no snapshot ${missing.slice(0, 8)}`);
    const admin = await hasAdmin(trx, hostId);
    if (!admin && (await isAppendOnly(trx, hostId)))
      throw new ApiProblem("admin_creds_required", `${name}'s credentials may not remove anything`, {
        hint: `enter credentials that may delete first: ${hint}`,
      });
    const job = await createJob(trx, { ...jobOf(admin, ids), hostId, actor });
    await audit.record(trx, {
      actor,
      action,
      target: { kind: "host", id: hostId, name },
      detail: {
        job_id: job.id,
        snapshot_count: ids.length,
        snapshots: ids
          .map((id) => id.slice(0, 8))
          .join(" ")
          .slice(0, 4_000),
        ...detail,
      },
    });
    return job.id;
  });
  announceJob(hostId, jobId);
  return jobId;
}
