import type { Schedule, ScheduleInput } from "@restic-manager/protocol/api/schedules";
import type { SourceGroupId } from "@restic-manager/protocol/ids";
import { QUICK_PICKS } from "./quick-picks.ts";

/** What is written in a schedule's form. */
export interface Written {
  cron: string;
  /** Empty: the machine's own. */
  timezone: string;
  groups: SourceGroupId[];
  /** Text while it is no number. */
  spreadMinutes: number | string;
}

/** A schedule as the form shows it. A new one fires nightly and whatever there is to fire. */
export function writtenOf(schedule: Schedule | null, groups: readonly { id: SourceGroupId }[]): Written {
  if (schedule === null) {
    return {
      cron: QUICK_PICKS.Nightly,
      timezone: "",
      groups: groups.map((group) => group.id),
      spreadMinutes: 0,
    };
  }
  return {
    cron: schedule.cron,
    timezone: schedule.timezone ?? "",
    groups: schedule.source_groups.map((group) => group.id),
    spreadMinutes: schedule.spread_seconds / 60,
  };
}

/** The request; `enabled` is the switch's business and stays as it is. */
export function inputOf(written: Written, enabled: boolean): ScheduleInput {
  const { cron, timezone, groups, spreadMinutes } = written;
  return {
    cron: cron.trim(),
    timezone: timezone.trim() === "" ? null : timezone.trim(),
    enabled,
    source_group_ids: groups,
    spread_seconds: typeof spreadMinutes === "number" ? Math.round(spreadMinutes * 60) : 0,
  };
}

const FIELD_OF: Readonly<Record<string, keyof Written>> = {
  cron: "cron",
  timezone: "timezone",
  source_group_ids: "groups",
  spread_seconds: "spreadMinutes",
};

/** What the server refused, by the form's fields. */
export function fieldErrors(
  fields: Readonly<Record<string, string>>,
): Partial<Record<keyof Written, string>> {
  const errors: Partial<Record<keyof Written, string>> = {};
  for (const [path, message] of Object.entries(fields)) {
    const field = FIELD_OF[path.split(".")[0] ?? ""];
    if (field === undefined || errors[field] !== undefined) continue;
    errors[field] = message.slice(0, 1).toUpperCase() + message.slice(1);
  }
  return errors;
}
