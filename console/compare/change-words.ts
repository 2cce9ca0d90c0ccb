import type { DiffCounts, DiffKind } from "@restic-manager/protocol/jobs/diff";
import { formatBytes } from "../format/bytes.ts";

interface ChangeWord {
  /** In a list. */
  word: string;
  /** A sign, as restic and others draw it. */
  sign: string;
}

/** What a change is called. */
export const changeWords: Record<DiffKind, ChangeWord> = {
  added: { word: "Added", sign: "+" },
  removed: { word: "Removed", sign: "−" },
  modified: { word: "Changed", sign: "~" },
  metadata: { word: "Metadata", sign: "=" },
  type_changed: { word: "Other type", sign: "T" },
};

export function allOf(counts: DiffCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** What something grew by: `+1.20 GiB`, `−300 MiB`, `±0 B`. */
export function growth(bytes: number): string {
  return `${bytes > 0 ? "+" : bytes < 0 ? "−" : "±"}${formatBytes(Math.abs(bytes))}`;
}
