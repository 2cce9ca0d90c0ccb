import { zoneOf } from "@restic-manager/protocol/fire-times";
import type { UpkeepFacts } from "../maintenance/due.ts";

/** A host of which nothing is in the way; each kind at 03:00 UTC each day, and none has ever run. */
export function unhinderedFacts(): UpkeepFacts {
  const zone = zoneOf("UTC");
  if (zone === undefined) throw new Error("no zone UTC");
  const daily = { cron: "0 3 * * *", enabled: true };
  return {
    online: true,
    paused: false,
    repository: "ready",
    agentKnows: true,
    resticOk: true,
    hasAdmin: true,
    hasRetention: true,
    appendOnly: false,
    settings: { forget: daily, prune: daily, check: { ...daily, read_data_percent: 1 } },
    zone,
    countsFrom: 0,
    latest: { forget: null, prune: null, check: null },
  };
}

/** What a check tells that found one pack broken. */
export function damageIn(pack: string) {
  return {
    result: "errors_found",
    error_count: 2,
    broken_packs: [pack],
    broken_pack_count: 1,
    missing_packs: [],
    missing_pack_count: 0,
    broken_indexes: [],
    broken_trees: [],
    broken_snapshots: [],
    messages: [],
    message_count: 0,
    doubtful: false,
    read_data_percent: 1,
    hints: [],
    duration_seconds: 1,
  };
}
