import type { Ticker } from "./background.ts";
import { refreshHost } from "./hosts/refresh.ts";
import { abandonWaiting, type WaitingParts } from "./jobs/waiting.ts";
import { removeOldFires } from "./schedules/store.ts";

/** How often jobs that wait for their host are looked at. */
const WAITING_MS = 30_000;
/** Fires are kept for so long: jobs and their schedules are what is looked at. */
const FIRES_KEPT_MS = 90 * 24 * 3_600_000;

/** What the server does by itself, again and again. */
export function tickers(parts: Omit<WaitingParts, "refreshHost">): Ticker[] {
  const { db, clock } = parts;
  return [
    {
      everyMs: WAITING_MS,
      doing: "give up jobs that wait too long",
      work: () => abandonWaiting({ ...parts, refreshHost }),
    },
    {
      everyMs: 3_600_000,
      doing: "remove old fires",
      work: () => removeOldFires(db, clock.now() - FIRES_KEPT_MS),
    },
  ];
}
