import type { UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { zoneOf, type Zone } from "@restic-manager/protocol/fire-times";
import type { HostId } from "@restic-manager/protocol/ids";
import { keepsSomething, RetentionPolicy } from "@restic-manager/protocol/retention";
import type { Database } from "../platform/db/schema.ts";
import { readAppendOnly } from "./append-only.ts";
import { decide, type LatestRun, type UpkeepFacts } from "./due.ts";
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

/**
 * Reads all that decides of these hosts, in few statements.
 *
 * @param zones a cache of zones by name.
 * @param dueAt with it `appendOnly` is read only of hosts whose forget hangs on it at that instant: it costs most, and of a fleet few are due.
 */
export async function readFacts(
  db: Database,
  rows: readonly (MaintenanceRow & { host: UpkeepHost })[],
  { zones = new Map(), dueAt }: { zones?: Map<string, Zone>; dueAt?: number } = {},
): Promise<Map<HostId, UpkeepFacts>> {
  const ids = rows.map((row) => row.host_id);
  const runs = await readLatestRuns(db, ids);
  const slots = await readSlots(db, ids);
  const policies = await readPolicies(db, ids);
  const has = new Set(slots.map(({ host_id, slot }) => `${host_id} ${slot}`));
  const latest = new Map<string, LatestRun>(
    runs.map((run) => [
      `${run.host_id} ${run.kind}`,
      { createdAt: run.created_at, finishedAt: run.finished_at },
    ]),
  );
  const keeping = new Set(policies.filter((group) => keeps(group)).map((group) => group.host_id));
  const found = new Map(
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
        appendOnly: false,
        settings: settingsOf(row),
        zone: zoneFor(host, zones),
        countsFrom: row.counts_from,
        latest: { forget: of("forget"), prune: of("prune"), check: of("check") },
      };
      return [host.id, facts];
    }),
  );
  await askAppendOnly(db, found, dueAt);
  return found;
}

async function askAppendOnly(
  db: Database,
  found: ReadonlyMap<HostId, UpkeepFacts>,
  dueAt: number | undefined,
): Promise<void> {
  // Where others may delete, nothing hangs on whether the everyday credentials may.
  const asked = [...found].filter(
    ([, facts]) =>
      !facts.hasAdmin && (dueAt === undefined || decide("forget", facts, dueAt).verdict === "run"),
  );
  const deletions = await everydayDeletions(
    db,
    asked.map(([id]) => id),
  );
  for (const [id, facts] of asked)
    facts.appendOnly = readAppendOnly(deletions.filter((job) => job.host_id === id))?.seen === true;
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
