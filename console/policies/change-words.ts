import type { FieldChange, TemplateChange } from "@restic-manager/protocol/api/templates";
import { limitWords } from "../format/durations.ts";

const FIELD_WORDS: Readonly<Record<string, string>> = {
  name: "Name",
  includes: "Includes",
  excludes: "Excludes",
  "retention_policy.keep_last": "Keep last",
  "retention_policy.hourly": "Keep hourly",
  "retention_policy.daily": "Keep daily",
  "retention_policy.weekly": "Keep weekly",
  "retention_policy.monthly": "Keep monthly",
  "retention_policy.yearly": "Keep yearly",
  retry_max: "Tried again, times",
  retry_backoff_seconds: "First wait",
  cron: "When",
  timezone: "Time zone",
  enabled: "On",
  spread_seconds: "Spread",
  groups: "Source groups",
  "forget.cron": "Forget",
  "forget.enabled": "Forget by itself",
  "prune.cron": "Prune",
  "prune.enabled": "Prune by itself",
  "check.cron": "Check",
  "check.enabled": "Check by itself",
  "check.read_data_percent": "Check reads, percent",
};

/** A field of a change as a reader calls it. */
export function fieldWords({ field }: FieldChange): string {
  return FIELD_WORDS[field] ?? field;
}

/** Fields that hold one value: what they say when they hold none. */
const NONE: Readonly<Record<string, string>> = { timezone: "the machine’s own", spread_seconds: "none" };

/** One value as a reader sees it; undefined is nothing at all. */
export function valueWords({ field }: FieldChange, value: string | undefined): string {
  if (value === undefined) return NONE[field] ?? "–";
  if (field.endsWith("enabled")) return value === "true" ? "on" : "off";
  if (field.endsWith("_seconds")) return value === "0" ? "none" : limitWords(Number(value));
  return value;
}

/** Whether a field holds several things, of which some go and some come. */
export function isList({ field }: FieldChange): boolean {
  return field === "includes" || field === "excludes" || field === "groups";
}

const WHAT: Record<TemplateChange["what"], string> = {
  group: "source group",
  schedule: "schedule",
  maintenance: "maintenance",
};
const ACT: Record<TemplateChange["act"], string> = { add: "Add", change: "Change", remove: "Remove" };

/** `Add source group`. */
export function actWords({ act, what }: TemplateChange): string {
  return `${ACT[act]} ${WHAT[what]}`;
}
