import type { ChaosHost } from "../host.ts";
import type { Ledger } from "../ledger.ts";
import { markerOf } from "../marker.ts";
import type { StoredJob } from "./outcomes.ts";

/** restic ran at most once for each order, and did run for each that succeeded. */
export function checkRuns(
  hosts: readonly ChaosHost[],
  ledger: Ledger,
  jobs: ReadonlyMap<string, StoredJob>,
): string[] {
  const wrong: string[] = [];
  const ran = new Map<number, number>();
  for (const host of hosts) {
    for (const { marker, pid } of host.runs.look()) {
      if (marker === undefined) continue;
      const before = ran.get(marker);
      if (before !== undefined)
        wrong.push(`restic ran twice for order ${marker} on h${host.index}: as ${before} and as ${pid}`);
      ran.set(marker, pid);
    }
  }
  const known = new Set<number>();
  for (const job of jobs.values()) {
    const marker = markerOf(job.input);
    if (marker === undefined) continue;
    known.add(marker);
    if (job.state === "succeeded" && !ran.has(marker))
      wrong.push(`job ${job.id} (order ${marker}) succeeded and restic never ran for it`);
  }
  for (const marker of ran.keys())
    if (ledger.orders.has(marker) && !known.has(marker))
      wrong.push(`restic ran for order ${marker}, of which the server knows no job`);
  return wrong;
}
