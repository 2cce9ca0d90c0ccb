import type { AppliedTemplate, ApplyTemplate, TemplateContent } from "@restic-manager/protocol/api/templates";
import type { HostId, TemplateId } from "@restic-manager/protocol/ids";
import { GROUPS_PER_HOST } from "@restic-manager/protocol/limits";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import { isUniqueViolation } from "../platform/db/errors.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem, problemBody, problemOf } from "../platform/http/problem.ts";
import { saveMaintenance } from "../maintenance/update.ts";
import { turn } from "../platform/turn.ts";
import { lockScheduleHost } from "../schedules/store.ts";
import { refuseTooMuch } from "../sources/change.ts";
import { bumpConfigVersion, bumpScheduleVersion, readSourceGroups } from "../sources/store.ts";
import { contentOf, existing } from "./change.ts";
import { carryOut, type CarryOutParts } from "./carry-out.ts";
import { readHostStates } from "./host-state.ts";
import { planFor } from "./plan.ts";
import {
  originOf,
  readFollower,
  readTagged,
  readTemplate,
  writeFollower,
  type TemplateRow,
} from "./store.ts";

export interface ApplyParts extends CarryOutParts {
  db: Database;
  bus: Bus;
  audit: Audit;
}

/** The hosts that a request names, or that have its tag. */
export async function targetsOf(
  db: Database,
  { host_ids, tag }: Pick<ApplyTemplate, "host_ids" | "tag">,
): Promise<HostId[]> {
  if (tag !== undefined) return readTagged(db, tag);
  return [...new Set(host_ids)];
}

/**
 * Gives hosts what a template says, each in a transaction of its own: one that is refused does not keep the others from it.
 *
 * @throws ApiProblem `not_found`; `changed_meanwhile` when the template is not the one that was previewed.
 */
export async function applyTemplate(
  parts: ApplyParts,
  id: TemplateId,
  wanted: ApplyTemplate,
  actor: UserActor,
): Promise<AppliedTemplate["items"]> {
  const template = existing(await readTemplate(parts.db, id));
  if (wanted.template_version !== undefined && wanted.template_version !== template.version)
    throw new ApiProblem("changed_meanwhile", `${template.changed_by} changed ${template.name} meanwhile`, {
      hint: "look at what it would do now; nothing was applied",
    });
  const content = contentOf(template);
  const items: AppliedTemplate["items"] = [];
  // In one order, as everybody who changes several hosts.
  for (const hostId of (await targetsOf(parts.db, wanted)).toSorted()) {
    try {
      const changes = await applyTo(parts, { template, content, wanted }, hostId, actor);
      items.push({ outcome: "applied", host_id: hostId, changes });
    } catch (error) {
      const problem = isUniqueViolation(error)
        ? new ApiProblem("name_taken", "another source group of this host has a name of the template's", {
            hint: "rename it, or apply the template and remove what is not its",
          })
        : problemOf(error);
      if (problem.code === "internal") throw error;
      items.push({ outcome: "refused", host_id: hostId, problem: problemBody(problem) });
    }
    await turn();
  }
  return items;
}

async function applyTo(
  parts: ApplyParts,
  { template, content, wanted }: { template: TemplateRow; content: TemplateContent; wanted: ApplyTemplate },
  hostId: HostId,
  actor: UserActor,
): Promise<number> {
  const { db, clock, bus, audit } = parts;
  const done = await db.transaction().execute(async (trx) => {
    const host = await lockScheduleHost(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    const seen = wanted.schedule_versions?.[hostId];
    if (seen !== undefined && seen !== host.schedule_version)
      throw new ApiProblem("changed_meanwhile", `${host.name} was changed since you looked`, {
        hint: "look at what it would do now; nothing was applied to it",
      });
    const origin = originOf(await readFollower(trx, hostId));
    const state = (await readHostStates(trx, [hostId])).get(hostId) ?? {
      groups: [],
      schedules: [],
      maintenance: null,
    };
    const plan = planFor(content, state, origin, wanted.others);
    const carried = await carryOut(parts, trx, hostId, plan, actor);
    if (plan.maintenance !== null) await saveMaintenance(trx, parts, hostId, plan.maintenance, actor);
    if (plan.changes.some(({ what }) => what !== "maintenance")) {
      const after = (await readSourceGroups(trx, hostId)) ?? [];
      refuseTooMuch(after);
      const schedules =
        state.schedules.length -
        plan.removedSchedules.length +
        plan.schedules.filter(({ id }) => id === null).length;
      if (after.length > GROUPS_PER_HOST || schedules > GROUPS_PER_HOST)
        throw new ApiProblem(
          "validation_failed",
          `a host has at most ${GROUPS_PER_HOST} source groups and as many schedules`,
        );
      await bumpScheduleVersion(trx, hostId);
      // Hooks of a group that went are gone too.
      if (plan.removedGroups.length > 0) await bumpConfigVersion(trx, hostId);
    }
    await writeFollower(trx, {
      host_id: hostId,
      template_id: template.id,
      version: template.version,
      others: wanted.others,
      groups: JSON.stringify(Object.fromEntries(carried.groups)),
      schedules: JSON.stringify(Object.fromEntries(carried.schedules)),
      applied_at: clock.now(),
      applied_by: actor.name,
    });
    await audit.record(trx, {
      actor,
      action: "template.applied",
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        template: template.name,
        template_id: template.id,
        template_version: template.version,
        others: wanted.others,
        changes: plan.changes
          .map(({ what, act, name }) => `${act} ${what} ${name}`.trim())
          .join(", ")
          .slice(0, 4_096),
        dropped_jobs: carried.dropped.length,
      },
    });
    return { plan, dropped: carried.dropped };
  });
  for (const jobId of done.dropped) bus.publish("job.changed", { jobId, hostId });
  if (done.plan.changes.length > 0) bus.publish("schedules.changed", { hostId });
  if (done.plan.removedGroups.length > 0) bus.publish("config.changed", { hostId });
  bus.publish("host.changed", { hostId });
  return done.plan.changes.length;
}
