import type { UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { zoneOf, type Zone } from "@restic-manager/protocol/fire-times";
import type { HostId } from "@restic-manager/protocol/ids";
import { keepsSomething, RetentionPolicy } from "@restic-manager/protocol/retention";
import type { Database } from "../platform/db/schema.ts";
import { readAppendOnly } from "./append-only.ts";
import type { LatestRun, UpkeepFacts } from "./due.ts";
import { settingsOf, type MaintenanceRow } from "./settings.ts";
import {
  everydayDeletions,
  readLatestRuns,
  readPolicies,
  readSlots,
  type GroupPolicy,
  type UpkeepHost,
} from "./store.ts";

/** The first protocol whose agents know forget, prune, check and unlock. */
const AGENT_KNOWS_FROM = 3;

/** Reads all that decides of these hosts, in five statements. @param zones a cache of zones by name. */
export async function readFacts(
  db: Database,
  rows: readonly (MaintenanceRow & { host: UpkeepHost })[],
  zones: Map<string, Zone> = new Map(),
): Promise<Map<HostId, UpkeepFacts>> {
  const ids = rows.map((row) => row.host_id);
  const [runs, slots, policies, deletions] = [
    await readLatestRuns(db, ids),
    await readSlots(db, ids),
    await readPolicies(db, ids),
    await everydayDeletions(db, ids),
  ];
  const latest = new Map<string, LatestRun>(
    runs.map((run) => [
      `${run.host_id} ${run.kind}`,
      { createdAt: run.created_at, finishedAt: run.finished_at },
    ]),
  );
  const has = new Set(slots.map(({ host_id, slot }) => `${host_id} ${slot}`));
  const keeping = new Set(policies.filter((group) => keeps(group)).map((group) => group.host_id));
  return new Map(
    rows.map((row) => {
      const { host } = row;
      const of = (kind: UpkeepKind) => latest.get(`${host.id} ${kind}`) ?? null;
      const facts: UpkeepFacts = {
        online: host.online === 1,
        paused: host.paused_at !== null,
        repository: !has.has(`${host.id} repo`)
          ? "no_credentials"
          : host.repository_id === null
            ? "not_ready"
            : "ready",
        agentKnows: (host.protocol_version ?? 0) >= AGENT_KNOWS_FROM,
        resticOk: host.restic_state === "ok",
        hasAdmin: has.has(`${host.id} admin`),
        hasRetention: keeping.has(host.id),
        appendOnly: readAppendOnly(deletions.filter((job) => job.host_id === host.id))?.seen === true,
        settings: settingsOf(row),
        zone: zoneFor(host, zones),
        countsFrom: row.counts_from,
        latest: { forget: of("forget"), prune: of("prune"), check: of("check") },
      };
      return [host.id, facts];
    }),
  );
}

/** What a group keeps. A policy that cannot be read keeps nothing, so that nothing is forgotten by it. */
export function policyOf(group: Pick<GroupPolicy, "retention_policy">): RetentionPolicy {
  return RetentionPolicy.safeParse(JSON.parse(group.retention_policy)).data ?? {};
}

function keeps(group: GroupPolicy): boolean {
  return keepsSomething(policyOf(group));
}

/** The machine's own zone; UTC until it is known here. */
export function zoneFor(host: Pick<UpkeepHost, "timezone">, zones: Map<string, Zone> = new Map()): Zone {
  const name = host.timezone ?? "UTC";
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = zoneOf(name) ?? zoneOf("UTC");
  if (zone === undefined) throw new Error("this machine has no time zones");
  zones.set(name, zone);
  return zone;
}
