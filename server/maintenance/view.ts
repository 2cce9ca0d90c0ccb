import {
  UPKEEP_KINDS,
  type Hindrance,
  type RepoMaintenance,
  type UpkeepKind,
} from "@restic-manager/protocol/api/maintenance";
import { localInstant } from "@restic-manager/protocol/fire-times";
import type { HostId } from "@restic-manager/protocol/ids";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { decide, hindrance, hindranceOf, type UpkeepFacts } from "./due.ts";
import { readFacts } from "./facts.ts";
import { runView } from "./run-view.ts";
import { defaultRow, type MaintenanceRow } from "./settings.ts";
import { newestRun, readHost, readSettings, type UpkeepHost } from "./store.ts";

/** How a host's maintenance stands, with what decided it. */
export interface Upkeep {
  view: RepoMaintenance;
  facts: UpkeepFacts;
  host: UpkeepHost;
}

/** Undefined when there is no such host. */
export async function showMaintenance(
  db: Database,
  hostId: HostId,
  now: number,
): Promise<Upkeep | undefined> {
  const host = await readHost(db, hostId);
  if (host === undefined) return undefined;
  const row = (await readSettings(db, hostId)) ?? defaultRow(hostId, now);
  const facts = (await readFacts(db, [{ ...row, host }])).get(hostId);
  if (facts === undefined) return undefined;
  const [forget, prune, check] = await Promise.all(
    UPKEEP_KINDS.map((kind) => taskView(db, hostId, kind, facts, now)),
  );
  if (forget === undefined || prune === undefined || check === undefined) return undefined;
  const view: RepoMaintenance = {
    effective_timezone: facts.zone.name,
    paused:
      host.paused_at === null
        ? null
        : {
            reason: host.paused_reason ?? "",
            since: instant(host.paused_at),
            by: host.paused_by ?? "",
          },
    forget,
    prune,
    check: { ...check, read_data_percent: row.check_read_data_percent },
    updated_at: updatedAt(row),
  };
  return { view, facts, host };
}

/** Why a button does nothing, by kind. A person may order for a host that is away or paused: the job waits for it. */
export function runNow(facts: UpkeepFacts): Record<UpkeepKind | "unlock", Hindrance | null> {
  const of = (kind: UpkeepKind | "unlock") => {
    if (kind !== "unlock" && facts.latest[kind]?.finishedAt === null) return hindrance("already_active");
    return hindrance(hindranceOf(kind, { ...facts, paused: false, appendOnly: false }));
  };
  return { forget: of("forget"), prune: of("prune"), check: of("check"), unlock: of("unlock") };
}

async function taskView(
  db: Database,
  hostId: HostId,
  kind: UpkeepKind,
  facts: UpkeepFacts,
  now: number,
): Promise<RepoMaintenance["forget"]> {
  const decision = decide(kind, facts, now);
  const last = await newestRun(db, hostId, kind, "any");
  const good = last?.state === "succeeded" ? last : await newestRun(db, hostId, kind, "good");
  const at = "at" in decision && !facts.paused ? decision.at : null;
  return {
    cron: facts.settings[kind].cron,
    enabled: facts.settings[kind].enabled,
    next_run: at === null ? null : { at: instant(at), local: localInstant(facts.zone, at) },
    last_run: last === undefined ? null : runView(last),
    last_success: good === undefined ? null : runView(good),
    hindrance: hindrance(hindranceOf(kind, facts)),
  };
}

function updatedAt(row: MaintenanceRow): string | null {
  return row.updated_at === null ? null : instant(row.updated_at);
}
