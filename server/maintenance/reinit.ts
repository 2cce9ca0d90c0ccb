import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { OrderParts } from "./order.ts";
import { lockHost, readSlots } from "./store.ts";

/**
 * Has a host's repository made anew, which restic does only where there is none: it wipes nothing, and where there is one the job opens
 * it and says what to do.
 *
 * @throws ApiProblem `not_found`, `no_credentials`, or `validation_failed` when the typed name is another one.
 */
export async function reinitRepository(
  { createJob, audit }: OrderParts,
  trx: Trx,
  hostId: HostId,
  typed: string,
  actor: UserActor,
): Promise<JobId> {
  const host = await lockHost(trx, hostId);
  if (host === undefined) throw new ApiProblem("not_found", `there is no host ${hostId}`);
  if (typed !== host.name) {
    const words = `type ${host.name} to go on`;
    throw new ApiProblem("validation_failed", `confirm_host_name: ${words}`, {
      fields: { confirm_host_name: words },
    });
  }
  if (!(await readSlots(trx, [hostId])).some((row) => row.slot === "repo"))
    throw new ApiProblem("no_credentials", `${host.name} has no repository`, {
      hint: "enter the repository's address and passwords on the host's page",
    });
  const job = await createJob(trx, {
    kind: "init",
    input: { again: true },
    hostId,
    actor: { ...actor, kind: "user" },
  });
  await audit.record(trx, {
    actor,
    action: "host.repo_reinit",
    target: { kind: "host", id: hostId, name: host.name },
    detail: { job_id: job.id, repository_id_before: host.repository_id },
  });
  return job.id;
}
