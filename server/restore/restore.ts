import type { RestoreRequest } from "@restic-manager/protocol/api/restore";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobInput, JobOrder } from "@restic-manager/protocol/jobs";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { pickedOnce } from "./picked.ts";
import { hasSnapshot, hostById } from "./store.ts";

export interface RestoreParts {
  db: Database;
  audit: Audit;
  hasCredentials: (trx: Trx, hostId: HostId) => Promise<boolean>;
  /** Writes the job as queued and refreshes its host. */
  createJob: (trx: Trx, job: JobOrder & { hostId: HostId; actor: UserActor }) => Promise<{ id: JobId }>;
  announceJob: (hostId: HostId, jobId: JobId) => void;
}

/** Paths that an audit row names; it says how many there were. */
const PATHS_RECORDED = 20;
const RECORDED_CHARACTERS = 4_000;

/**
 * Queues a restore, and records who wanted what to go where.
 *
 * @throws ApiProblem `not_found`, `no_credentials`, `host_offline`, `validation_failed` when what is asked for twice was not typed twice.
 */
export async function startRestore(
  { db, audit, hasCredentials, createJob, announceJob }: RestoreParts,
  hostId: HostId,
  request: RestoreRequest,
  actor: UserActor,
): Promise<JobId> {
  const input = inputOf(request);
  const jobId = await db.transaction().execute(async (trx) => {
    const host = await hostById(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    if (!(await hasSnapshot(trx, hostId, request.snapshot_id)))
      throw new ApiProblem("not_found", "this host has no such snapshot");
    confirmed(request, host.name);
    if (!(await hasCredentials(trx, hostId)))
      throw new ApiProblem("no_credentials", `${host.name} has no repository to restore from`, {
        hint: "enter the repository's address and passwords on the host's page",
      });
    if (request.when_offline === "refuse" && host.online !== 1)
      throw new ApiProblem("host_offline", `${host.name} is not connected`, {
        hint: "its own agent restores: try again when the machine is back, or let the job wait for it",
      });
    const job = await createJob(trx, { kind: "restore", input, hostId, actor });
    const listed = input.paths.slice(0, PATHS_RECORDED).map((path) => JSON.stringify(path));
    await audit.record(trx, {
      actor,
      action: "host.restore",
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        job_id: job.id,
        snapshot_id: input.snapshot_id,
        paths: listed.join(" ").slice(0, RECORDED_CHARACTERS),
        path_count: input.paths.length,
        verify: input.verify,
        target: input.target.kind === "in_place" ? "in place" : (input.target.path ?? "a new folder"),
        overwrite: input.overwrite,
        delete: input.delete,
        dry_run: input.dry_run,
      },
    });
    return job.id;
  });
  announceJob(hostId, jobId);
  return jobId;
}

function inputOf(request: RestoreRequest): JobInput<"restore"> {
  const { snapshot_id, target, overwrite, delete: deletes, dry_run, verify, sparse } = request;
  return {
    snapshot_id,
    paths: pickedOnce(request.paths),
    target,
    overwrite,
    delete: deletes,
    dry_run,
    verify,
    sparse,
  };
}

/** What writes over files, and what deletes some, is each confirmed by the machine's name. */
function confirmed(request: RestoreRequest, name: string): void {
  if (request.dry_run) return;
  const fields: Record<string, string> = {};
  if (request.target.kind === "in_place" && request.confirm_host !== name)
    fields["confirm_host"] = `type ${name}: files on it will be written over`;
  if (request.delete && request.confirm_delete !== name)
    fields["confirm_delete"] = `type ${name}: what is not in the snapshot will be deleted`;
  const [first] = Object.entries(fields);
  if (first !== undefined) throw new ApiProblem("validation_failed", `${first[0]}: ${first[1]}`, { fields });
}
