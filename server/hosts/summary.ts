import type { FleetProblem, FleetSummary } from "@restic-manager/protocol/api/fleet";
import { instant } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { causeInWords } from "./causes.ts";
import { countsByStatus } from "./list.ts";
import { countByRank } from "./store.ts";
import {
  countActiveJobs,
  countRuns,
  readCauses,
  readHostsOfCause,
  readTotals,
  type RunCount,
} from "./summary-store.ts";

const HALF_HOUR_MS = 30 * 60_000;
const DAY_MS = 24 * 3600_000;
const HALF_HOURS = DAY_MS / HALF_HOUR_MS;
/** Causes are few by their nature; a page shows five. */
const MOST_PROBLEMS = 20;
const HOSTS_NAMED = 5;

/** What the fleet page shows above its table, but for the server's own trouble with its store. */
export type FleetFigures = Omit<FleetSummary, "store">;

/**
 * Works the figures out anew. Their questions go side by side, which PostgreSQL makes use of.
 *
 * @param now milliseconds since 1970.
 */
export async function fleetFigures(db: Database, now: number): Promise<FleetFigures> {
  const firstSlot = Math.floor(now / HALF_HOUR_MS) - HALF_HOURS + 1;
  const [totals, jobs, ranks, runs, found] = await Promise.all([
    readTotals(db, now - DAY_MS),
    countActiveJobs(db),
    countByRank(db, { search: null, tag: null }),
    countRuns(db, firstSlot * HALF_HOUR_MS, HALF_HOUR_MS),
    problems(db),
  ]);
  return {
    hosts: totals.hosts,
    online: totals.online,
    counts: countsByStatus(ranks),
    backed_up_24h: totals.backedUp,
    running_jobs: jobs.running,
    queued_jobs: jobs.queued,
    protected_bytes: totals.protectedBytes,
    stored_bytes: totals.storedBytes,
    runs: runBand(firstSlot, runs),
    problems: found,
  };
}

/** 48 half hours; the last is the one that is not over. An end in the future (an agent's wrong clock) is left out. */
function runBand(firstSlot: number, counts: RunCount[]): FleetSummary["runs"] {
  const band = Array.from({ length: HALF_HOURS }, (_, index) => ({
    at: instant((firstSlot + index) * HALF_HOUR_MS),
    succeeded: 0,
    issues: 0,
    failed: 0,
  }));
  for (const { slot, outcome, count } of counts) {
    const half = band[slot - firstSlot];
    if (half !== undefined) half[outcome] += count;
  }
  return band;
}

async function problems(db: Database): Promise<FleetProblem[]> {
  const found: FleetProblem[] = [];
  for (const cause of await readCauses(db, MOST_PROBLEMS))
    found.push({
      code: cause.code,
      status: cause.status,
      message: cause.message ?? causeInWords(cause.code),
      since: cause.since === null ? null : instant(cause.since),
      host_count: cause.count,
      hosts: await readHostsOfCause(db, cause, HOSTS_NAMED),
    });
  return found;
}
