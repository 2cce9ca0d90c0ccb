import type { RetentionPolicy, SourceGroup, SourceGroupInput } from "@restic-manager/protocol/api/sources";
import { linesOf } from "../ui/line-list.ts";
import { DIMENSIONS, type Dimension } from "./retention.ts";

/** What a number field holds: text while it is no number, such as nothing at all. */
export type Figure = number | string;

/** What is written in a group's form. */
export interface Written {
  name: string;
  /** One path per line. */
  includes: string;
  excludes: string;
  keep: Record<Dimension, Figure>;
  retryMax: Figure;
  retryMinutes: Figure;
}

/** As the server makes a group of which nothing else is said (protocol/api/sources.ts). */
const RETRY_MAX = 10;
const RETRY_MINUTES = 1;

/** A group as the form shows it; null for a new one. */
export function writtenOf(group: SourceGroup | null): Written {
  const policy: RetentionPolicy = group?.retention_policy ?? {};
  const keep = Object.fromEntries(DIMENSIONS.map((dimension) => [dimension, policy[dimension] || ""]));
  return {
    name: group?.name ?? "",
    includes: (group?.includes ?? []).join("\n"),
    excludes: (group?.excludes ?? []).join("\n"),
    // One entry per dimension, which the compiler cannot see.
    keep: keep as Written["keep"],
    retryMax: group?.retry_max ?? RETRY_MAX,
    retryMinutes: group === null ? RETRY_MINUTES : group.retry_backoff_seconds / 60,
  };
}

/** The request. A number that was left empty is left out, so that the server's own stands. */
export function inputOf(written: Written): SourceGroupInput {
  const { name, includes, excludes, keep, retryMax, retryMinutes } = written;
  return {
    name: name.trim(),
    includes: linesOf(includes).map((line) => line.text),
    excludes: linesOf(excludes).map((line) => line.text),
    retention_policy: policyOf(keep),
    retry_max: typeof retryMax === "number" ? retryMax : RETRY_MAX,
    retry_backoff_seconds: Math.round((typeof retryMinutes === "number" ? retryMinutes : RETRY_MINUTES) * 60),
  };
}

/** The policy that the six fields name; empty and 0 keep none. */
export function policyOf(keep: Written["keep"]): RetentionPolicy {
  return Object.fromEntries(
    DIMENSIONS.flatMap((dimension) => {
      const value = keep[dimension];
      return typeof value === "number" && value > 0 ? [[dimension, value]] : [];
    }),
  );
}

const FIELD_OF: Readonly<Record<string, string>> = {
  name: "name",
  includes: "includes",
  excludes: "excludes",
  retry_max: "retryMax",
  retry_backoff_seconds: "retryMinutes",
};

/** What the server refused, by the form's fields: `includes.2` is the third path, which is named by its line. */
export function fieldErrors(
  fields: Readonly<Record<string, string>>,
  written: Pick<Written, "includes" | "excludes">,
): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const [path, message] of Object.entries(fields)) {
    const [name = "", index] = path.split(".");
    const field = name === "retention_policy" ? `keep.${index ?? "keep_last"}` : FIELD_OF[name];
    if (field === undefined || errors[field] !== undefined) continue;
    const list = name === "includes" || name === "excludes" ? linesOf(written[name]) : null;
    const line = list?.[Number(index)]?.number;
    errors[field] = line === undefined ? capital(message) : `Line ${line} ${message}`;
  }
  return errors;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
