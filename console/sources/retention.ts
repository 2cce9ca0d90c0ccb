import type { RetentionPolicy } from "@restic-manager/protocol/api/sources";
import { countOf } from "../format/numbers.ts";

/** The six ways to keep snapshots, the finest first. */
export const DIMENSIONS = ["keep_last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const DIMENSION_WORDS: Record<Dimension, string> = {
  keep_last: "last",
  hourly: "hourly",
  daily: "daily",
  weekly: "weekly",
  monthly: "monthly",
  yearly: "yearly",
};

/** Days that one step of a dimension spans; of the last few snapshots nobody knows. */
const DAYS: Record<Dimension, number> = {
  keep_last: 0,
  hourly: 1 / 24,
  daily: 1,
  weekly: 7,
  monthly: 30.44,
  yearly: 365.25,
};

/** What a policy means: how many snapshots at most, and how far back. */
export function retentionWords(policy: RetentionPolicy): string {
  const kept = DIMENSIONS.map((dimension) => ({ dimension, keep: policy[dimension] ?? 0 }));
  const most = kept.reduce((sum, { keep }) => sum + keep, 0);
  if (most === 0) return "Every snapshot is kept: nothing may be forgotten.";
  const days = Math.max(...kept.map(({ dimension, keep }) => keep * DAYS[dimension]));
  if (days === 0) return most === 1 ? "The last snapshot only." : `The last ${countOf(most, "snapshot")}.`;
  return `At most ${countOf(most, "snapshot")}, the oldest about ${age(days)} old.`;
}

function age(days: number): string {
  if (days < 2) return countOf(Math.max(1, Math.round(days * 24)), "hour");
  if (days < 60) return countOf(Math.round(days), "day");
  if (days < 700) return countOf(Math.round(days / 30.44), "month");
  return countOf(Math.round(days / 365.25), "year");
}
