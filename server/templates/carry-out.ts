import { ScheduleId, SourceGroupId, type HostId, type JobId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Clock } from "../platform/clock.ts";
import type { Trx } from "../platform/db/schema.ts";
import type { Ids } from "../platform/ids.ts";
import { firesAlike, scheduleColumns } from "../schedules/change.ts";
import {
  insertSchedule,
  readSchedules,
  removeSchedule,
  updateSchedule,
  writeGroupsOf,
} from "../schedules/store.ts";
import { groupColumns } from "../sources/change.ts";
import { insertSourceGroup, removeSourceGroup, updateSourceGroup } from "../sources/store.ts";
import type { Plan } from "./plan.ts";
import { freeNames } from "./store.ts";

export interface CarryOutParts {
  clock: Clock;
  ids: Ids;
  /** Cancels jobs of what goes that wait for their host; the caller tells the bus after the commit. */
  dropWaiting: (
    trx: Trx,
    of: { sourceGroupId: SourceGroupId } | { scheduleId: ScheduleId; groups?: readonly SourceGroupId[] },
  ) => Promise<JobId[]>;
}

/** The ids that now stand for the template's names, and the jobs that were dropped. */
export interface CarriedOut {
  groups: Map<string, SourceGroupId>;
  schedules: Map<string, ScheduleId>;
  dropped: JobId[];
}

/**
 * Does to a host what a plan says, in the caller's transaction.
 *
 * @throws a unique violation (`isUniqueViolation`) when a group that stays has the name of one of the template's.
 */
export async function carryOut(
  parts: CarryOutParts,
  trx: Trx,
  hostId: HostId,
  plan: Plan,
  actor: UserActor,
): Promise<CarriedOut> {
  const dropped: JobId[] = [];
  for (const id of plan.removedSchedules) {
    dropped.push(...(await parts.dropWaiting(trx, { scheduleId: id })));
    await removeSchedule(trx, id);
  }
  for (const id of plan.removedGroups) {
    dropped.push(...(await parts.dropWaiting(trx, { sourceGroupId: id })));
    await removeSourceGroup(trx, hostId, id);
  }
  const groups = await writeGroups(parts, trx, hostId, plan, actor);
  const schedules = await writeSchedules(parts, trx, hostId, plan, groups, actor, dropped);
  return { groups, schedules, dropped };
}

async function writeGroups(
  { clock, ids }: CarryOutParts,
  trx: Trx,
  hostId: HostId,
  plan: Plan,
  actor: UserActor,
): Promise<Map<string, SourceGroupId>> {
  const by = { changed_at: clock.now(), changed_by: actor.name };
  const found = new Map<string, SourceGroupId>();
  await freeNames(
    trx,
    plan.groups.flatMap(({ id, changed }) => (id !== null && changed ? [id] : [])),
  );
  for (const { id, group, changed } of plan.groups) {
    const known = id ?? ids.mint(SourceGroupId);
    found.set(group.name, known);
    const columns = groupColumns(group);
    if (id === null)
      await insertSourceGroup(trx, { id: known, host_id: hostId, created_at: clock.now(), ...columns });
    else if (changed) await updateSourceGroup(trx, id, { ...columns, ...by });
  }
  return found;
}

async function writeSchedules(
  { clock, ids, dropWaiting }: CarryOutParts,
  trx: Trx,
  hostId: HostId,
  plan: Plan,
  groups: ReadonlyMap<string, SourceGroupId>,
  actor: UserActor,
  dropped: JobId[],
): Promise<Map<string, ScheduleId>> {
  const now = clock.now();
  const by = { changed_at: now, changed_by: actor.name };
  const rows = new Map((await readSchedules(trx, hostId)).map((row) => [row.id, row]));
  const found = new Map<string, ScheduleId>();
  for (const { id, schedule, changed } of plan.schedules) {
    const known = id ?? ids.mint(ScheduleId);
    found.set(schedule.name, known);
    if (!changed) continue;
    const columns = scheduleColumns(schedule);
    const before = rows.get(known);
    if (before === undefined)
      await insertSchedule(trx, {
        id: known,
        host_id: hostId,
        created_at: now,
        counts_from: now,
        ...columns,
      });
    else {
      const counted = firesAlike(before, columns) ? {} : { counts_from: now };
      await updateSchedule(trx, known, { ...columns, ...counted }, by);
    }
    const fired = schedule.groups.flatMap((name) => groups.get(name) ?? []);
    await writeGroupsOf(trx, known, fired);
    if (before !== undefined) dropped.push(...(await dropWaiting(trx, { scheduleId: known, groups: fired })));
  }
  return found;
}
