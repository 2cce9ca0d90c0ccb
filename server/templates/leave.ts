import type { HostId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { lockScheduleHost } from "../schedules/store.ts";
import type { ApplyParts } from "./apply.ts";
import { readFollower, readTemplate, removeFollower } from "./store.ts";

/**
 * Lets a host go its own way: it keeps all it has, and nothing is compared any more. One that follows nothing stays as it is.
 *
 * @throws ApiProblem `not_found`.
 */
export async function leaveTemplate(
  { db, audit }: Pick<ApplyParts, "db" | "audit">,
  hostId: HostId,
  actor: UserActor,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const host = await lockScheduleHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const follower = await readFollower(trx, hostId);
    if (follower === undefined) return;
    const template = await readTemplate(trx, follower.template_id);
    await removeFollower(trx, hostId);
    await audit.record(trx, {
      actor,
      action: "template.left",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { template: template?.name ?? null, template_id: follower.template_id },
    });
  });
}
