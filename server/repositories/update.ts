import type { RepoCredentialsInput, RepoCredentialsView } from "@restic-manager/protocol/api/repository";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Seal } from "../platform/seal.ts";
import { credentialsView, mergeCredentials, openCredentials, sealCredentials } from "./credentials.ts";
import { bumpConfigVersion, lockHost, readCredentials, writeCredentials } from "./store.ts";

export interface UpdateParts {
  db: Database;
  seal: Seal;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  /** Queues an `init` job, so that the new credentials are proved at once. */
  createInitJob: (trx: Trx, hostId: HostId, actor: UserActor) => Promise<{ id: JobId }>;
}

/**
 * Saves new everyday credentials, tells the agent, and has it try them.
 *
 * @throws ApiProblem `not_found`, or `validation_failed` by field.
 */
export async function updateCredentials(
  parts: UpdateParts,
  hostId: HostId,
  input: RepoCredentialsInput,
  actor: UserActor,
): Promise<RepoCredentialsView> {
  const { db, seal, clock, bus, audit } = parts;
  const { view, jobId } = await db.transaction().execute(async (trx) => {
    const host = await lockHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const row = await readCredentials(trx, hostId);
    const stored = row === undefined ? null : openCredentials(seal, row);
    const merged = mergeCredentials(input, stored);
    if (!merged.ok) {
      const [[field, words] = ["url", "cannot be saved"]] = Object.entries(merged.fields);
      throw new ApiProblem("validation_failed", `${field}: ${words}`, { fields: merged.fields });
    }
    const { credentials } = merged;
    const updated = sealCredentials(seal, hostId, credentials, clock.now());
    await writeCredentials(trx, updated);
    await bumpConfigVersion(trx, hostId);
    await audit.record(trx, {
      actor,
      action: "credential.updated",
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        slot: "repo",
        url: credentials.url,
        username: credentials.username ?? null,
        password: credentials.password === stored?.password ? "kept" : "changed",
        repository_password:
          credentials.repository_password === stored?.repository_password ? "kept" : "changed",
      },
    });
    const job = await parts.createInitJob(trx, hostId, actor);
    return { view: credentialsView(updated), jobId: job.id };
  });
  bus.publish("config.changed", { hostId });
  bus.publish("job.queued", { hostId, jobId, kind: "init" });
  bus.publish("job.changed", { hostId, jobId });
  bus.publish("host.changed", { hostId });
  return view;
}
