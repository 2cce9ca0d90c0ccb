import type { SnapshotAnomaly } from "@restic-manager/protocol/api/hosts";
import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";

/** Why a snapshot is marked, in half a sentence. */
export function anomalyInWords({ what, value, usual, limit }: SnapshotAnomaly): string {
  const words = (amount: number) =>
    what === "added" ? formatBytes(amount) : countOf(Math.round(amount), "file");
  const verb = what === "added" ? "added before compression" : "new or changed";
  return `${words(value)} ${verb}, usually ${words(usual)}; up to ${words(limit)} would be ordinary`;
}
