import type { SourceGroup, SourceGroupEdit, SourceGroupInput } from "@restic-manager/protocol/api/sources";
import { SourceGroupId, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { GROUPS_PER_HOST, SCHEDULES_BYTES } from "@restic-manager/protocol/limits";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import { isUniqueViolation } from "../platform/db/errors.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { refuseStale } from "../platform/http/two-editors.ts";
import type { Ids } from "../platform/ids.ts";
import { sourceGroupView } from "./groups.ts";
import {
  bumpConfigVersion,
  bumpScheduleVersion,
  insertSourceGroup,
  lockHost,
  readHooks,
  readSourceGroups,
  removeSourceGroup,
  updateSourceGroup,
  type SourceGroupRow,
} from "./store.ts";

export interface ChangeGroupParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  audit: Audit;
  ids: Ids;
  /** The schedules that fire a group. */
  usedBy: (trx: Trx, groupId: SourceGroupId) => Promise<{ id: string; cron: string }[]>;
  /** Cancels the jobs of a group that wait for their host; this room tells the bus after the commit. */
  dropWaiting: (trx: Trx, groupId: SourceGroupId) => Promise<JobId[]>;
}

/** @throws ApiProblem `not_found`, `name_taken`, or `validation_failed` when the host has too much to say in all. */
export async function createGroup(
  parts: ChangeGroupParts,
  hostId: HostId,
  input: SourceGroupInput,
  actor: UserActor,
): Promise<SourceGroup> {
  const id = parts.ids.mint(SourceGroupId);
  return change(parts, hostId, actor, id, async (trx, groups) => {
    if (groups.length >= GROUPS_PER_HOST)
      throw new ApiProblem("validation_failed", `a host has at most ${GROUPS_PER_HOST} source groups`);
    await insertSourceGroup(trx, {
      id,
      host_id: hostId,
      created_at: parts.clock.now(),
      ...groupColumns(input),
    });
    return { action: "source_group.created", name: input.name };
  });
}

/**
 * Replaces a group whole. Jobs that were made before keep what they were told. Another name is another tag: older snapshots keep theirs.
 *
 * @throws ApiProblem as `createGroup`, and `changed_meanwhile` when another version was edited.
 */
export async function replaceGroup(
  parts: ChangeGroupParts,
  hostId: HostId,
  id: SourceGroupId,
  input: SourceGroupEdit,
  actor: UserActor,
): Promise<SourceGroup> {
  return change(parts, hostId, actor, id, async (trx, groups) => {
    const before = existing(groups, id);
    refuseStale(`the source group ${before.name}`, before, input.version);
    await updateSourceGroup(trx, id, {
      ...groupColumns(input),
      changed_at: parts.clock.now(),
      changed_by: actor.name,
    });
    return { action: "source_group.updated", name: input.name, nameBefore: before.name };
  });
}

/** @throws ApiProblem `not_found`, `last_group`, or `group_in_use` with the schedules that fire it. */
export async function deleteGroup(
  { db, bus, audit, usedBy, dropWaiting }: ChangeGroupParts,
  hostId: HostId,
  id: SourceGroupId,
  actor: UserActor,
): Promise<void> {
  const dropped = await db.transaction().execute(async (trx) => {
    const { host, groups } = await locked(trx, hostId);
    const group = existing(groups, id);
    const schedules = await usedBy(trx, id);
    if (schedules.length > 0)
      throw new ApiProblem("group_in_use", `${group.name} is fired by ${counted(schedules.length)}`, {
        hint: "take it out of them first",
        schedules,
      });
    if (groups.length === 1)
      throw new ApiProblem("last_group", `${group.name} is the only source group of ${host.name}`, {
        hint: "a host must know what to back up: change this one, or add another first",
      });
    const jobs = await dropWaiting(trx, id);
    await removeSourceGroup(trx, hostId, id);
    await bumpScheduleVersion(trx, hostId);
    // Its hooks go too.
    await bumpConfigVersion(trx, hostId);
    await audit.record(trx, {
      actor,
      action: "source_group.deleted",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { source_group: group.name, source_group_id: id, dropped_jobs: jobs.length },
    });
    return jobs;
  });
  bus.publish("schedules.changed", { hostId });
  bus.publish("config.changed", { hostId });
  for (const jobId of dropped) bus.publish("job.changed", { jobId, hostId });
  bus.publish("host.changed", { hostId });
}

async function change(
  { db, bus, audit }: ChangeGroupParts,
  hostId: HostId,
  actor: UserActor,
  id: SourceGroupId,
  work: (
    trx: Trx,
    groups: SourceGroupRow[],
  ) => Promise<{
    action: "source_group.created" | "source_group.updated";
    name: string;
    nameBefore?: string;
  }>,
): Promise<SourceGroup> {
  const done = db.transaction().execute(async (trx) => {
    const { host, groups } = await locked(trx, hostId);
    const { action, name, nameBefore } = await work(trx, groups);
    const after = (await readSourceGroups(trx, hostId)) ?? [];
    refuseTooMuch(after);
    await bumpScheduleVersion(trx, hostId);
    const row = existing(after, id);
    await audit.record(trx, {
      actor,
      action,
      target: { kind: "host", id: hostId, name: host.name },
      detail: {
        source_group: name,
        source_group_id: id,
        ...(nameBefore === undefined || nameBefore === name ? {} : { name_before: nameBefore }),
        includes: listed(row.includes),
        excludes: listed(row.excludes),
        retention_policy: row.retention_policy,
        retry_max: row.retry_max,
        retry_backoff_seconds: row.retry_backoff_seconds,
      },
    });
    return sourceGroupView(row, (await readHooks(trx, hostId)).get(id));
  });
  const view = await done.catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    throw new ApiProblem("name_taken", "another source group of this host has this name", {
      fields: { name: "another source group has this name" },
    });
  });
  bus.publish("schedules.changed", { hostId });
  bus.publish("host.changed", { hostId });
  return view;
}

async function locked(trx: Trx, hostId: HostId) {
  const host = await lockHost(trx, hostId);
  if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
  return { host, groups: (await readSourceGroups(trx, hostId)) ?? [] };
}

function existing(groups: readonly SourceGroupRow[], id: SourceGroupId): SourceGroupRow {
  const group = groups.find((one) => one.id === id);
  if (group === undefined) throw new ApiProblem("not_found", "the host has no such source group");
  return group;
}

/** What a group is, as its row holds it. */
export function groupColumns(input: SourceGroupInput) {
  return {
    name: input.name,
    includes: JSON.stringify(input.includes),
    excludes: JSON.stringify(input.excludes),
    retention_policy: JSON.stringify(input.retention_policy),
    retry_max: input.retry_max,
    retry_backoff_seconds: input.retry_backoff_seconds,
  };
}

/** Paths of one host's groups in all: they reach its agent in one frame, beside at most 100 schedules. */
const MOST_BYTES = SCHEDULES_BYTES - 64 * 1024;

/** @throws ApiProblem `validation_failed` when the groups of one host say too much in all. */
export function refuseTooMuch(groups: readonly Pick<SourceGroupRow, "includes" | "excludes">[]): void {
  const bytes = groups.reduce(
    (sum, { includes, excludes }) => sum + Buffer.byteLength(includes) + Buffer.byteLength(excludes),
    0,
  );
  if (bytes <= MOST_BYTES) return;
  const words =
    "the source groups of one host may have 704 KiB of paths in all: include folders instead of their files";
  throw new ApiProblem("validation_failed", `includes: ${words}`, { fields: { includes: words } });
}

/** A list in the record: whole, or its beginning and how long it is. */
function listed(json: string): string {
  return json.length <= 4_096 ? json : `${json.slice(0, 4_096)}… (${json.length} characters)`;
}

function counted(schedules: number): string {
  return schedules === 1 ? "a schedule" : `${schedules} schedules`;
}
