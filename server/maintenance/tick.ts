import { UPKEEP_KINDS, type UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { spreadMs, type Zone } from "@restic-manager/protocol/fire-times";
import type { HostId, JobId } from "@restic-manager/protocol/ids";
import type { JobOrder } from "@restic-manager/protocol/jobs";
import type { Bus } from "../platform/bus.ts";
import type { Trx } from "../platform/db/schema.ts";
import { turn } from "../platform/turn.ts";
import { decide, timeAfter, type UpkeepFacts } from "./due.ts";
import { readFacts } from "./facts.ts";
import { forgetInput, isPreview, type OrderParts } from "./order.ts";
import { defaultRow, type MaintenanceRow } from "./settings.ts";
import {
  activeJobs,
  hostsToLookAt,
  hostsWithoutSettings,
  moveLook,
  moveLooks,
  seedSettings,
} from "./store.ts";

/** How often it is looked what is due. */
export const UPKEEP_MS = 60_000;
/** Hosts of one look. Between two others have their turn. */
const BATCH = 100;
/** Hosts whose jobs are ordered at once: each is a transaction of its own, which on PostgreSQL mostly waits. */
const AT_ONCE = 8;
/** Most hosts of one tick; the others are looked at a minute later. */
const MOST = 1_000;
/** A host is looked at after an hour at the latest, whatever was known: its zone, its credentials or its clock may change. */
const LOOK_AGAIN_MS = 3_600_000;
/** What was due and could not be is looked at again so soon. */
const RETRY_MS = 5 * 60_000;

const SYSTEM = { kind: "system" as const, id: null, name: "restic-manager", address: null };

export interface UpkeepParts extends OrderParts {
  bus: Bus;
  /** One host's trouble keeps no other from its work. */
  onError: (error: unknown, doing: string) => void;
}

/**
 * Orders what is due in the repositories of hosts that are connected. May be done twice at once: a host's look is moved by
 * compare-and-set, in the transaction that makes its jobs.
 *
 * @returns how many jobs were made.
 */
export async function upkeepTick(parts: UpkeepParts): Promise<number> {
  const { db, clock } = parts;
  const now = clock.now();
  const fresh = await hostsWithoutSettings(db, MOST);
  for (let from = 0; from < fresh.length; from += BATCH)
    await seedSettings(
      db,
      fresh.slice(from, from + BATCH).map((id) => defaultRow(id, now)),
    );
  const zones = new Map<string, Zone>();
  let made = 0;
  for (let looked = 0; looked < MOST; looked += BATCH) {
    const rows = await hostsToLookAt(db, now, BATCH);
    if (rows.length === 0) break;
    const facts = await readFacts(db, rows, { zones, dueAt: now });
    made += await orderDue(parts, rows, facts, now);
    if (rows.length < BATCH) break;
    await turn();
  }
  return made;
}

async function orderDue(
  parts: UpkeepParts,
  rows: readonly MaintenanceRow[],
  facts: ReadonlyMap<HostId, UpkeepFacts>,
  now: number,
): Promise<number> {
  const quiet: (MaintenanceRow & { at: number })[] = [];
  const orders: (() => Promise<number>)[] = [];
  for (const row of rows) {
    const known = facts.get(row.host_id);
    if (known === undefined) continue;
    const plan = planOf(row.host_id, known, now);
    if (plan.due.length === 0) quiet.push({ ...row, at: plan.lookAt });
    else
      orders.push(() =>
        orderFor(parts, row, known, plan).catch((error: unknown) => {
          parts.onError(error, `order what is due at host ${row.host_id}`);
          quiet.push({ ...row, at: now + RETRY_MS });
          return 0;
        }),
      );
  }
  let made = 0;
  for (let from = 0; from < orders.length; from += AT_ONCE) {
    const some = orders.slice(from, from + AT_ONCE).map((order) => order());
    for (const jobs of await Promise.all(some)) made += jobs;
  }
  await moveLooks(parts.db, quiet);
  return made;
}

/** What of a host is due, and when to look again. */
export function planOf(
  hostId: HostId,
  facts: UpkeepFacts,
  now: number,
): { due: UpkeepKind[]; lookAt: number } {
  const due: UpkeepKind[] = [];
  // Not all at the same moment: each host has its own share of the second half hour.
  let lookAt = now + LOOK_AGAIN_MS / 2 + spreadMs(hostId, "look", LOOK_AGAIN_MS / 2_000);
  for (const kind of UPKEEP_KINDS) {
    const decision = decide(kind, facts, now);
    if (decision.verdict === "run") due.push(kind);
    if (decision.verdict === "later") lookAt = Math.min(lookAt, decision.at);
    if (decision.verdict === "skip") lookAt = Math.min(lookAt, now + RETRY_MS);
    // Nobody moves the look when the job ends: it may be over by the next time.
    if (decision.verdict === "run" || decision.verdict === "active")
      lookAt = Math.min(lookAt, timeAfter(kind, facts, now) ?? lookAt);
  }
  return { due, lookAt };
}

async function orderFor(
  { db, bus, createJob }: UpkeepParts,
  row: MaintenanceRow,
  facts: UpkeepFacts,
  { due, lookAt }: { due: UpkeepKind[]; lookAt: number },
): Promise<number> {
  const hostId = row.host_id;
  const jobIds = await db.transaction().execute(async (trx) => {
    if (!(await moveLook(trx, row, lookAt))) return [];
    const jobs = await activeJobs(trx, hostId);
    const active = new Set(jobs.filter((job) => !isPreview(job.input)).map((job) => job.kind));
    const made: JobId[] = [];
    for (const kind of due) {
      // A person was faster.
      if (active.has(kind)) continue;
      const order = await orderOf(trx, hostId, kind, facts);
      made.push((await createJob(trx, { ...order, hostId, actor: SYSTEM })).id);
    }
    return made;
  });
  for (const jobId of jobIds) {
    bus.publish("job.queued", { jobId, hostId });
    bus.publish("job.changed", { jobId, hostId });
  }
  if (jobIds.length > 0) bus.publish("host.changed", { hostId });
  return jobIds.length;
}

async function orderOf(trx: Trx, hostId: HostId, kind: UpkeepKind, facts: UpkeepFacts): Promise<JobOrder> {
  switch (kind) {
    case "forget":
      return { kind, input: await forgetInput(trx, hostId, { dry_run: false }, facts.hasAdmin) };
    case "prune":
      return { kind, input: { use_admin: true } };
    case "check":
      return { kind, input: { read_data_percent: facts.settings.check.read_data_percent } };
  }
}
