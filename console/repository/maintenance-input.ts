import type {
  RepoMaintenance,
  RepoMaintenanceInput,
  UpkeepKind,
} from "@restic-manager/protocol/api/maintenance";

/** The settings as the request has them. */
export function inputOf({ forget, prune, check }: RepoMaintenance): RepoMaintenanceInput {
  const task = ({ cron, enabled }: RepoMaintenance[UpkeepKind]) => ({ cron, enabled });
  return {
    forget: task(forget),
    prune: task(prune),
    check: { ...task(check), read_data_percent: check.read_data_percent },
  };
}

/** What is written in the form. */
export interface Written {
  forget: string;
  prune: string;
  check: string;
  percent: number | string;
}

export function writtenOf({ forget, prune, check }: RepoMaintenanceInput): Written {
  return {
    forget: forget.cron,
    prune: prune.cron,
    check: check.cron,
    percent: check.read_data_percent,
  };
}

/** What the form changes of the settings; the switches are not its business. */
export function withWritten(settings: RepoMaintenanceInput, written: Written): RepoMaintenanceInput {
  return {
    forget: { ...settings.forget, cron: written.forget.trim() },
    prune: { ...settings.prune, cron: written.prune.trim() },
    check: {
      ...settings.check,
      cron: written.check.trim(),
      read_data_percent: typeof written.percent === "number" ? written.percent : 0,
    },
  };
}

/** What the server refused, by the form's fields. `under`: where in the request the settings stand. */
export function fieldErrors(
  fields: Readonly<Record<string, string>>,
  under = "",
): Partial<Record<keyof Written, string>> {
  const errors: Partial<Record<keyof Written, string>> = {};
  const places: Readonly<Record<string, keyof Written>> = {
    "forget.cron": "forget",
    "prune.cron": "prune",
    "check.cron": "check",
    "check.read_data_percent": "percent",
  };
  for (const [path, message] of Object.entries(fields)) {
    const place = path.startsWith(under) ? places[path.slice(under.length)] : undefined;
    if (place !== undefined) errors[place] = message.slice(0, 1).toUpperCase() + message.slice(1);
  }
  return errors;
}
