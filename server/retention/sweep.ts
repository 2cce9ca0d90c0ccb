import type { Database } from "../platform/db/schema.ts";
import type { RetentionLimits } from "../platform/retention-limits.ts";
import { turn } from "../platform/turn.ts";
import type { Broom } from "./broom.ts";
import { oldJobs } from "./jobs.ts";
import { freeSpace, leftovers, oldAudit, oldSignIns } from "./leftovers.ts";
import { oldLogs, tooMuchLog, tooMuchLogOfAHost } from "./logs.ts";

/** How often it is looked whether something may go. */
export const RETENTION_EVERY_MS = 60_000;
/**
 * Steps of each sort in one tick. At some milliseconds each they take a hundredth of the time, and remove ten thousand chunks a
 * minute: a fleet of 10,000 hosts that backs up hourly writes three hundred and thirty.
 */
const STEPS = 40;

/** Everything that keeps the store from growing for ever, in the order in which it makes room. */
export function brooms(db: Database, limits: RetentionLimits): Broom[] {
  return [
    tooMuchLog(db, limits),
    tooMuchLogOfAHost(db, limits),
    oldLogs(db, limits),
    oldJobs(db, limits),
    oldAudit(db, limits),
    leftovers(db),
    oldSignIns(db),
    freeSpace(db),
  ];
}

/**
 * One tick of retention: what is due goes in short steps, and between two of them everybody else has a turn. What is left waits for
 * the next tick.
 *
 * @param now milliseconds since 1970. @param onError one broom's trouble keeps no other from its work.
 * @returns how many steps had something more to do.
 */
export async function sweepAll(
  all: readonly Broom[],
  now: number,
  onError: (error: unknown, what: string) => void,
  stopping: () => boolean = () => false,
): Promise<number> {
  let worked = 0;
  for (const broom of all) {
    try {
      for (let step = 0; step < STEPS && !stopping(); step++) {
        if (!(await broom.sweep(now))) break;
        worked += 1;
        await turn();
      }
    } catch (error) {
      onError(error, broom.what);
    }
  }
  return worked;
}
