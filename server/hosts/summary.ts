import type { FleetProblem, FleetSummary } from "@restic-manager/protocol/api/fleet";
import { instant } from "../platform/clock.ts";
import { causeInWords } from "./causes.ts";
import type { FleetTotals, Trouble } from "./fleet-totals.ts";
import type { JobCounts, Runs } from "./job-counts.ts";
import { countsByStatus } from "./list.ts";

/** What the band of runs is made of. */
export const HALF_HOUR_MS = 30 * 60_000;
export const DAY_MS = 24 * 3600_000;
const HALF_HOURS = DAY_MS / HALF_HOUR_MS;
/** Causes are few by their nature; a page shows five. */
const MOST_PROBLEMS = 20;

/** What the fleet page shows above its table, but for the server's own trouble with its store. */
export type FleetFigures = Omit<FleetSummary, "store">;

/** The first of the half hours that are shown, counted since 1970. @param now milliseconds since 1970. */
export function firstHalfHour(now: number): number {
  return Math.floor(now / HALF_HOUR_MS) - HALF_HOURS + 1;
}

/**
 * Puts together what the summary says.
 *
 * @param backedUp hosts with a success in the last 24 hours.
 * @param runs by half hours since 1970.
 * @param now milliseconds since 1970.
 */
export function fleetFigures(
  totals: FleetTotals,
  backedUp: number,
  { active, runs }: JobCounts,
  now: number,
): FleetFigures {
  return {
    hosts: totals.hosts,
    online: totals.online,
    counts: countsByStatus(totals.ranks),
    backed_up_24h: backedUp,
    running_jobs: active.running,
    queued_jobs: active.queued,
    protected_bytes: totals.protectedBytes,
    stored_bytes: totals.storedBytes,
    runs: runBand(firstHalfHour(now), runs),
    problems: problemsOf(totals.troubles()),
  };
}

/** 48 half hours; the last is the one that is not over. An end in the future (an agent's wrong clock) is left out. */
function runBand(first: number, runs: ReadonlyMap<number, Runs>): FleetSummary["runs"] {
  return Array.from({ length: HALF_HOURS }, (_, index) => ({
    at: instant((first + index) * HALF_HOUR_MS),
    ...(runs.get(first + index) ?? { succeeded: 0, issues: 0, failed: 0 }),
  }));
}

/** Most urgent first, and the more hosts the sooner. */
function problemsOf(troubles: readonly Trouble[]): FleetProblem[] {
  return troubles
    .toSorted((a, b) => a.rank - b.rank || b.count - a.count || (a.code < b.code ? -1 : 1))
    .slice(0, MOST_PROBLEMS)
    .map(({ code, status, message, since, count, named }) => ({
      code,
      status,
      message: message ?? causeInWords(code),
      since: since === null ? null : instant(since),
      host_count: count,
      hosts: named,
    }));
}
