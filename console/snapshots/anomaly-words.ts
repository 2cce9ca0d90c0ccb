import type { SnapshotAnomaly } from "@restic-manager/protocol/api/hosts";
import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";

/** Why a snapshot is marked, in half a sentence. */
export function anomalyInWords({ what, value, usual, limit }: SnapshotAnomaly): string {
  const words = (amount: number) =>
    what === "added" ? formatBytes(amount) : countOf(Math.round(amount), "file");
  const verb = what === "added" ? "added before compression" : "new or changed";
  const ordinary = value > limit ? `up to ${words(limit)}` : `from ${words(Math.ceil(limit))} on`;
  const odd = `${value > limit ? "" : "only "}${words(value)} ${verb}, usually ${words(usual)}; ${ordinary} would be ordinary`;
  return value > limit ? odd : `${odd}. Look whether the source was emptied, or is not mounted`;
}
