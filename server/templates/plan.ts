import type { RepoMaintenanceInput } from "@restic-manager/protocol/api/maintenance";
import type { ScheduleInput } from "@restic-manager/protocol/api/schedules";
import type { SourceGroupInput } from "@restic-manager/protocol/api/sources";
import type {
  Others,
  TemplateChange,
  TemplateContent,
  TemplateSchedule,
} from "@restic-manager/protocol/api/templates";
import type { ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import { fieldChanges } from "./field-changes.ts";

type GroupOnHost = SourceGroupInput & { id: SourceGroupId };
/** Its groups by id, in the order in which they run. */
type ScheduleOnHost = Omit<ScheduleInput, "source_group_ids"> & { id: ScheduleId; groups: SourceGroupId[] };

/** What of a host a template is about. */
export interface HostState {
  groups: readonly GroupOnHost[];
  schedules: readonly ScheduleOnHost[];
  /** Null: of a host that is gone. */
  maintenance: RepoMaintenanceInput | null;
}

/** What of a host came from a template: name there to id here. */
export interface Origin {
  groups: Readonly<Record<string, SourceGroupId>>;
  schedules: Readonly<Record<string, ScheduleId>>;
}

/** What is to be done to a host so that it has what the template says. */
export interface Plan {
  /** All of the template's groups; `id` null: it is to be made. */
  groups: { id: SourceGroupId | null; group: SourceGroupInput; changed: boolean }[];
  removedGroups: SourceGroupId[];
  schedules: { id: ScheduleId | null; schedule: TemplateSchedule; changed: boolean }[];
  removedSchedules: ScheduleId[];
  /** Null: stays as it is. */
  maintenance: RepoMaintenanceInput | null;
  /** The same for a reader; empty when there is nothing to do. */
  changes: TemplateChange[];
  /** Not the template's, and kept. */
  others: { what: "group" | "schedule"; name: string }[];
}

/**
 * Compares a host with a template.
 *
 * A group of the template is the host's group that came from it, whatever that is called now, else the one of its name. A schedule is
 * the one that came from it, else one that fires the same groups at the same times. What came from this or an earlier template and
 * has no place in this one goes; everything else goes only with `others: "remove"`. A group that a schedule which stays still
 * fires stays too.
 */
export function planFor(content: TemplateContent, host: HostState, origin: Origin, others: Others): Plan {
  const nameOf = new Map(host.groups.map((group) => [group.id, group.name]));
  const groups = matchGroups(content, host, origin);
  const schedules = matchSchedules(content, host, origin, nameOf);
  const from = {
    groups: new Set(Object.values(origin.groups)),
    schedules: new Set(Object.values(origin.schedules)),
  };

  const placed = new Set<string>([...groups.values(), ...schedules.values()].map(({ id }) => id));
  const goes = (id: string, known: ReadonlySet<string>) =>
    !placed.has(id) && (others === "remove" || known.has(id));
  const gone = host.schedules.filter(({ id }) => goes(id, from.schedules));
  const goneIds = new Set<string>(gone.map(({ id }) => id));
  const stay = host.schedules.filter(({ id }) => !placed.has(id) && !goneIds.has(id));
  const stillFired = new Set(stay.flatMap((schedule) => schedule.groups));
  const goneGroups = host.groups.filter(({ id }) => goes(id, from.groups) && !stillFired.has(id));
  const goneGroupIds = new Set<string>(goneGroups.map(({ id }) => id));

  const plan: Plan = {
    groups: [],
    removedGroups: goneGroups.map(({ id }) => id),
    schedules: [],
    removedSchedules: gone.map(({ id }) => id),
    maintenance: null,
    changes: [],
    others: [
      ...host.groups
        .filter(({ id }) => !placed.has(id) && !goneGroupIds.has(id))
        .map(({ name }) => ({ what: "group" as const, name })),
      ...stay.map(({ cron }) => ({ what: "schedule" as const, name: cron })),
    ],
  };
  for (const group of content.groups) {
    const before = groups.get(group.name);
    const fields = fieldChanges(before && groupFacts(before), groupFacts(group));
    const changed = before === undefined || fields.length > 0;
    plan.groups.push({ id: before?.id ?? null, group, changed });
    if (changed)
      plan.changes.push({
        what: "group",
        act: before === undefined ? "add" : "change",
        name: group.name,
        fields,
      });
  }
  for (const schedule of content.schedules) {
    const before = schedules.get(schedule.name);
    const fields = fieldChanges(
      before && scheduleFacts(before, namesOf(before, nameOf)),
      scheduleFacts(schedule, schedule.groups),
    );
    // A group that is made anew has another id, whatever its name: its schedules have to be told.
    const fires = schedule.groups.map((name) => groups.get(name)?.id);
    const changed =
      before === undefined ||
      fields.length > 0 ||
      fires.length !== before.groups.length ||
      fires.some((id, at) => id !== before.groups[at]);
    plan.schedules.push({ id: before?.id ?? null, schedule, changed });
    if (changed)
      plan.changes.push({
        what: "schedule",
        act: before === undefined ? "add" : "change",
        name: schedule.name,
        fields,
      });
  }
  for (const { name } of goneGroups) plan.changes.push({ what: "group", act: "remove", name, fields: [] });
  for (const { cron } of gone) plan.changes.push({ what: "schedule", act: "remove", name: cron, fields: [] });
  const upkeep = fieldChanges(
    host.maintenance === null ? undefined : maintenanceFacts(host.maintenance),
    content.maintenance === null ? {} : maintenanceFacts(content.maintenance),
  );
  if (upkeep.length > 0) {
    plan.maintenance = content.maintenance;
    plan.changes.push({ what: "maintenance", act: "change", name: "", fields: upkeep });
  }
  return plan;
}

function matchGroups(content: TemplateContent, host: HostState, origin: Origin): Map<string, GroupOnHost> {
  const found = new Map<string, GroupOnHost>();
  const taken = new Set<string>();
  const take = (name: string, group: GroupOnHost | undefined) => {
    if (group === undefined || found.has(name) || taken.has(group.id)) return;
    found.set(name, group);
    taken.add(group.id);
  };
  for (const { name } of content.groups)
    take(
      name,
      host.groups.find(({ id }) => Object.hasOwn(origin.groups, name) && id === origin.groups[name]),
    );
  for (const { name } of content.groups)
    take(
      name,
      host.groups.find((group) => group.name === name),
    );
  return found;
}

function matchSchedules(
  content: TemplateContent,
  host: HostState,
  origin: Origin,
  nameOf: ReadonlyMap<SourceGroupId, string>,
): Map<string, ScheduleOnHost> {
  const found = new Map<string, ScheduleOnHost>();
  const taken = new Set<string>();
  const take = (name: string, schedule: ScheduleOnHost | undefined) => {
    if (schedule === undefined || found.has(name)) return;
    found.set(name, schedule);
    taken.add(schedule.id);
  };
  for (const { name } of content.schedules)
    take(
      name,
      host.schedules.find(
        ({ id }) => !taken.has(id) && Object.hasOwn(origin.schedules, name) && id === origin.schedules[name],
      ),
    );
  for (const wanted of content.schedules)
    take(
      wanted.name,
      host.schedules.find(
        (schedule) =>
          !taken.has(schedule.id) &&
          schedule.cron === wanted.cron &&
          schedule.timezone === wanted.timezone &&
          namesOf(schedule, nameOf).join("\n") === wanted.groups.join("\n"),
      ),
    );
  return found;
}

function namesOf(schedule: ScheduleOnHost, nameOf: ReadonlyMap<SourceGroupId, string>): string[] {
  return schedule.groups.flatMap((id) => nameOf.get(id) ?? []);
}

function groupFacts({
  name,
  includes,
  excludes,
  retention_policy,
  retry_max,
  retry_backoff_seconds,
}: SourceGroupInput) {
  return {
    name,
    includes,
    excludes,
    "retention_policy.keep_last": retention_policy.keep_last || null,
    "retention_policy.hourly": retention_policy.hourly || null,
    "retention_policy.daily": retention_policy.daily || null,
    "retention_policy.weekly": retention_policy.weekly || null,
    "retention_policy.monthly": retention_policy.monthly || null,
    "retention_policy.yearly": retention_policy.yearly || null,
    retry_max,
    retry_backoff_seconds,
  };
}

function scheduleFacts(
  { cron, timezone, enabled, spread_seconds }: Omit<ScheduleInput, "source_group_ids">,
  groups: readonly string[],
) {
  return { cron, timezone, enabled, spread_seconds, groups };
}

function maintenanceFacts({ forget, prune, check }: RepoMaintenanceInput) {
  return {
    "forget.cron": forget.cron,
    "forget.enabled": forget.enabled,
    "prune.cron": prune.cron,
    "prune.enabled": prune.enabled,
    "check.cron": check.cron,
    "check.enabled": check.enabled,
    "check.read_data_percent": check.read_data_percent,
  };
}
