import type { ScheduleEdit, ScheduleInput } from "@restic-manager/protocol/api/schedules";
import { ScheduleId, type HostId, type JobId, type SourceGroupId } from "@restic-manager/protocol/ids";
import { GROUPS_PER_HOST } from "@restic-manager/protocol/limits";
import type { UserActor } from "../audit/actor.ts";
import type { Audit, AuditAction } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { refuseStale } from "../platform/http/two-editors.ts";
import type { Ids } from "../platform/ids.ts";
import { bumpScheduleVersion, readSourceGroups } from "../sources/store.ts";
import {
  countAllFrom,
  insertSchedule,
  lockScheduleHost,
  readSchedules,
  removeSchedule,
  updateSchedule,
  writeGroupsOf,
  writePause,
  type ScheduleHost,
  type ScheduleRow,
} from "./store.ts";

export interface ChangeScheduleParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  ids: Ids;
  /**
   * Cancels the jobs of a schedule that wait for their host: all, or those of other groups than these. This room tells the bus after
   * the commit.
   */
  dropWaitingOf: (trx: Trx, scheduleId: ScheduleId, groups?: readonly SourceGroupId[]) => Promise<JobId[]>;
  /** Has the times of the host's maintenance count from an instant on: those before it are not caught up with. */
  countUpkeepFrom: (trx: Trx, hostId: HostId, at: number) => Promise<void>;
}

/** What was done, for the record. */
interface Done {
  action: AuditAction;
  detail: Record<string, string | number | boolean | null>;
}

/** @throws ApiProblem `not_found`, or `validation_failed` with the field: a group of another host, too many schedules. */
export async function createSchedule(
  parts: ChangeScheduleParts,
  hostId: HostId,
  input: ScheduleInput,
  actor: UserActor,
): Promise<ScheduleId> {
  const id = parts.ids.mint(ScheduleId);
  await change(parts, hostId, actor, async (trx, _host, schedules) => {
    if (schedules.length >= GROUPS_PER_HOST)
      throw new ApiProblem("validation_failed", `a host has at most ${GROUPS_PER_HOST} schedules`);
    const groups = await groupsOf(trx, hostId, input.source_group_ids);
    const now = parts.clock.now();
    await insertSchedule(trx, {
      id,
      host_id: hostId,
      created_at: now,
      counts_from: now,
      ...scheduleColumns(input),
    });
    await writeGroupsOf(trx, id, input.source_group_ids);
    return { action: "schedule.created", detail: detailOf(id, input, groups) };
  });
  return id;
}

/**
 * Replaces a schedule whole. Times that its old expression named and that have not fired are dropped with it, and so is what waits of
 * groups that it fires no longer; what waits of the others stays.
 *
 * @throws ApiProblem as `createSchedule`, and `changed_meanwhile` when another version was edited.
 */
export async function replaceSchedule(
  parts: ChangeScheduleParts,
  hostId: HostId,
  id: ScheduleId,
  input: ScheduleEdit,
  actor: UserActor,
): Promise<void> {
  let dropped: JobId[] = [];
  await change(parts, hostId, actor, async (trx, _host, schedules) => {
    const before = existing(schedules, id);
    refuseStale("the schedule", before, input.version);
    const groups = await groupsOf(trx, hostId, input.source_group_ids);
    const after = scheduleColumns(input);
    const now = parts.clock.now();
    const counted = firesAlike(before, after) ? {} : { counts_from: now };
    await updateSchedule(trx, id, { ...after, ...counted }, { changed_at: now, changed_by: actor.name });
    await writeGroupsOf(trx, id, input.source_group_ids);
    dropped = await parts.dropWaitingOf(trx, id, input.source_group_ids);
    const detail = { ...detailOf(id, input, groups), dropped_jobs: dropped.length };
    return { action: "schedule.updated", detail };
  });
  for (const jobId of dropped) parts.bus.publish("job.changed", { jobId, hostId });
}

/** Turns a schedule on or off; what it is already changes nothing. */
export async function switchSchedule(
  parts: ChangeScheduleParts,
  hostId: HostId,
  id: ScheduleId,
  enabled: boolean,
  actor: UserActor,
): Promise<void> {
  await change(parts, hostId, actor, async (trx, _host, schedules) => {
    const schedule = existing(schedules, id);
    if ((schedule.enabled === 1) === enabled) return null;
    const now = parts.clock.now();
    const switched = { enabled: enabled ? 1 : 0, counts_from: now };
    await updateSchedule(trx, id, switched, { changed_at: now, changed_by: actor.name });
    return {
      action: enabled ? "schedule.resumed" : "schedule.paused",
      detail: { schedule_id: id, cron: schedule.cron },
    };
  });
}

/** Its agent still reports what it fired before it hears of this. */
export async function deleteSchedule(
  parts: ChangeScheduleParts,
  hostId: HostId,
  id: ScheduleId,
  actor: UserActor,
): Promise<void> {
  let dropped: JobId[] = [];
  await change(parts, hostId, actor, async (trx, _host, schedules) => {
    const schedule = existing(schedules, id);
    dropped = await parts.dropWaitingOf(trx, id);
    await removeSchedule(trx, id);
    return {
      action: "schedule.deleted",
      detail: { schedule_id: id, cron: schedule.cron, dropped_jobs: dropped.length },
    };
  });
  for (const jobId of dropped) parts.bus.publish("job.changed", { jobId, hostId });
}

/** Maintenance mode: nothing of the host fires until it is resumed. Null resumes; times that passed are not caught up with. */
export async function pauseHost(
  parts: ChangeScheduleParts,
  hostId: HostId,
  reason: string | null,
  actor: UserActor,
): Promise<void> {
  const changed = await parts.db
    .transaction()
    .execute((trx) => pauseHostIn(parts, trx, hostId, reason, actor));
  if (changed) tellOfChange(parts.bus, hostId);
}

/** The same in the caller's transaction. True when it changed something: then `tellOfChange` after the commit. */
export async function pauseHostIn(
  parts: ChangeScheduleParts,
  trx: Trx,
  hostId: HostId,
  reason: string | null,
  actor: UserActor,
): Promise<boolean> {
  return await changeIn(parts, trx, hostId, actor, async (_trx, host): Promise<Done | null> => {
    if (reason === null && host.paused_at === null) return null;
    const now = parts.clock.now();
    const at = host.paused_at ?? now;
    await writePause(trx, hostId, reason === null ? null : { at, reason, by: actor.name });
    if (reason !== null) return { action: "host.paused", detail: { reason } };
    await countAllFrom(trx, hostId, now);
    await parts.countUpkeepFrom(trx, hostId, now);
    return { action: "host.resumed", detail: {} };
  });
}

type Work = (trx: Trx, host: ScheduleHost, schedules: ScheduleRow[]) => Promise<Done | null>;

async function change(
  parts: ChangeScheduleParts,
  hostId: HostId,
  actor: UserActor,
  work: Work,
): Promise<void> {
  const changed = await parts.db.transaction().execute((trx) => changeIn(parts, trx, hostId, actor, work));
  if (changed) tellOfChange(parts.bus, hostId);
}

async function changeIn(
  { audit }: ChangeScheduleParts,
  trx: Trx,
  hostId: HostId,
  actor: UserActor,
  work: Work,
): Promise<boolean> {
  const host = await lockScheduleHost(trx, hostId);
  if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
  const done = await work(trx, host, await readSchedules(trx, hostId));
  if (done === null) return false;
  await bumpScheduleVersion(trx, hostId);
  await audit.record(trx, { actor, ...done, target: { kind: "host", id: hostId, name: host.name } });
  return true;
}

/** Tells the agent and the pages of schedules that were committed. */
export function tellOfChange(bus: Bus, hostId: HostId): void {
  bus.publish("schedules.changed", { hostId });
  bus.publish("host.changed", { hostId });
}

/** The names of the groups a schedule fires, all of this host. */
async function groupsOf(trx: Trx, hostId: HostId, ids: readonly SourceGroupId[]): Promise<string[]> {
  const known = new Map((await readSourceGroups(trx, hostId))?.map((group) => [group.id, group.name]));
  return ids.map((id, at) => {
    const name = known.get(id);
    if (name !== undefined) return name;
    const field = `source_group_ids.${at}`;
    const words = "is not a source group of this host";
    throw new ApiProblem("validation_failed", `${field}: ${words}`, { fields: { [field]: words } });
  });
}

function existing(schedules: readonly ScheduleRow[], id: ScheduleId): ScheduleRow {
  const schedule = schedules.find((one) => one.id === id);
  if (schedule === undefined) throw new ApiProblem("not_found", "the host has no such schedule");
  return schedule;
}

/** Whether two rows fire at the same instants; otherwise what the old one missed is not expected any more. */
export function firesAlike(before: ReturnType<typeof scheduleColumns>, after: typeof before): boolean {
  return (
    before.cron === after.cron &&
    before.timezone === after.timezone &&
    before.spread_seconds === after.spread_seconds &&
    before.enabled === after.enabled
  );
}

/** When a schedule fires, as its row holds it. */
export function scheduleColumns(input: Omit<ScheduleInput, "source_group_ids">) {
  return {
    cron: input.cron,
    timezone: input.timezone,
    enabled: input.enabled ? 1 : 0,
    spread_seconds: input.spread_seconds,
  };
}

function detailOf(id: ScheduleId, input: ScheduleInput, groups: readonly string[]) {
  const { cron, timezone, enabled, spread_seconds } = input;
  return {
    schedule_id: id,
    cron,
    timezone,
    enabled,
    spread_seconds,
    source_groups: groups.join(", ").slice(0, 4_096),
  };
}
