import type { Template, TemplateContent, TemplateInput } from "@restic-manager/protocol/api/templates";
import {
  fieldErrors as groupErrors,
  inputOf as groupInputOf,
  writtenOf as groupWritten,
  type Written as WrittenGroup,
} from "../sources/group-input.ts";
import type { RepoMaintenanceInput, UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import {
  fieldErrors as maintenanceErrors,
  withWritten,
  writtenOf as maintenanceWritten,
  type Written as WrittenMaintenance,
} from "../repository/maintenance-input.ts";
import { QUICK_PICKS } from "../schedules/quick-picks.ts";

/** A group in a template's form. The key stays while its name is typed. */
export interface GroupPart {
  key: number;
  written: WrittenGroup;
}
export interface SchedulePart {
  key: number;
  name: string;
  cron: string;
  /** Empty: each machine's own. */
  timezone: string;
  spreadMinutes: number | string;
  enabled: boolean;
  /** Keys of groups. */
  groups: number[];
}
export interface MaintenancePart {
  enabled: Record<UpkeepKind, boolean>;
  written: WrittenMaintenance;
}
/** What is written in a template's form. */
export interface Written {
  name: string;
  groups: readonly GroupPart[];
  schedules: readonly SchedulePart[];
  /** Null: each host keeps its own. */
  maintenance: MaintenancePart | null;
  /** The next key. */
  next: number;
}

const NO_GROUP = groupWritten(null);

/** A template as its form shows it; without one a nightly backup of what is still to be said. */
export function writtenOf(template: Pick<Template, "name" | "content"> | null): Written {
  if (template === null) {
    return {
      name: "",
      groups: [{ key: 0, written: { ...NO_GROUP, name: "default" } }],
      schedules: [{ ...newSchedule(1, [0]), name: "Nightly" }],
      maintenance: null,
      next: 2,
    };
  }
  const { groups, schedules, maintenance } = template.content;
  const keys = new Map(groups.map((group, key) => [group.name, key]));
  return {
    name: template.name,
    groups: groups.map((group, key) => ({ key, written: groupWritten(group) })),
    schedules: schedules.map((schedule, at) => ({
      key: groups.length + at,
      name: schedule.name,
      cron: schedule.cron,
      timezone: schedule.timezone ?? "",
      spreadMinutes: schedule.spread_seconds / 60,
      enabled: schedule.enabled,
      groups: schedule.groups.flatMap((name) => keys.get(name) ?? []),
    })),
    maintenance: maintenance === null ? null : partOf(maintenance),
    next: groups.length + schedules.length,
  };
}

function partOf(maintenance: RepoMaintenanceInput): MaintenancePart {
  const { forget, prune, check } = maintenance;
  return {
    enabled: { forget: forget.enabled, prune: prune.enabled, check: check.enabled },
    written: maintenanceWritten(maintenance),
  };
}

function settingsOf({ enabled, written }: MaintenancePart): RepoMaintenanceInput {
  const task = (kind: UpkeepKind) => ({ cron: "", enabled: enabled[kind] });
  const bare = {
    forget: task("forget"),
    prune: task("prune"),
    check: { ...task("check"), read_data_percent: 0 },
  };
  return withWritten(bare, written);
}

/** Another schedule of a template: nightly, and of all its groups. */
export function newSchedule(key: number, groups: number[]): SchedulePart {
  return {
    key,
    name: "",
    cron: QUICK_PICKS.Nightly,
    timezone: "",
    spreadMinutes: 0,
    enabled: true,
    groups,
  };
}

/** Another group of a template, of which nothing is said. */
export function newGroup(key: number): GroupPart {
  return { key, written: NO_GROUP };
}

/** The request. Schedules run their groups in the order in which the groups stand. */
export function inputOf(written: Written): TemplateInput {
  const groups = written.groups.map((part) => groupInputOf(part.written));
  const schedules = written.schedules.map((part): TemplateContent["schedules"][number] => ({
    name: part.name.trim(),
    cron: part.cron.trim(),
    timezone: part.timezone.trim() === "" ? null : part.timezone.trim(),
    enabled: part.enabled,
    spread_seconds: typeof part.spreadMinutes === "number" ? Math.round(part.spreadMinutes * 60) : 0,
    groups: written.groups
      .filter(({ key }) => part.groups.includes(key))
      .map(({ written: group }) => group.name.trim()),
  }));
  const maintenance = written.maintenance === null ? null : settingsOf(written.maintenance);
  return { name: written.name.trim(), content: { groups, schedules, maintenance } };
}

/** What the server refused, by part and by field of that part. */
export interface Errors {
  name?: string;
  /** Of the template as a whole, such as that it has no group. */
  whole?: string;
  maintenance?: Partial<Record<keyof WrittenMaintenance, string>>;
  /** By key, then by field. */
  parts: ReadonlyMap<number, Readonly<Record<string, string>>>;
}

const SCHEDULE_FIELD: Readonly<Record<string, string>> = {
  name: "name",
  cron: "cron",
  timezone: "timezone",
  groups: "groups",
  spread_seconds: "spreadMinutes",
};

/** `content.groups.0.includes.2` is the third path of the first group. */
export function errorsOf(fields: Readonly<Record<string, string>>, written: Written): Errors {
  const parts = new Map<number, Record<string, string>>();
  const errors: Errors = { parts };
  const note = (key: number | undefined, found: Readonly<Record<string, string>>) => {
    if (key !== undefined) parts.set(key, { ...found, ...parts.get(key) });
  };
  for (const [path, message] of Object.entries(fields)) {
    const [root, list, index = "", ...rest] = path.split(".");
    const text = message.slice(0, 1).toUpperCase() + message.slice(1);
    if (root === "name") errors.name ??= text;
    else if (list === "groups" && rest.length > 0) {
      const part = written.groups[Number(index)];
      if (part !== undefined) note(part.key, groupErrors({ [rest.join(".")]: message }, part.written));
    } else if (list === "schedules" && rest.length > 0) {
      const field = SCHEDULE_FIELD[rest[0] ?? ""];
      if (field !== undefined) note(written.schedules[Number(index)]?.key, { [field]: text });
    } else if (list === "maintenance")
      errors.maintenance = {
        ...maintenanceErrors({ [path]: message }, "content.maintenance."),
        ...errors.maintenance,
      };
    else errors.whole ??= text;
  }
  return errors;
}
