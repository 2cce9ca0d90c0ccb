import type { Ticker } from "./background.ts";
import { refreshHost } from "./hosts/refresh.ts";
import { jobOver } from "./job-over.ts";
import { abandonWaiting, type WaitingParts } from "./jobs/waiting.ts";
import { endWaiting } from "./jobs/waiting-store.ts";
import { giveUpUpkeep } from "./maintenance/give-up.ts";
import { upkeepTick, UPKEEP_MS, type UpkeepParts } from "./maintenance/tick.ts";
import { removeOldFires } from "./schedules/store.ts";

/** How often jobs that wait for their host are looked at. */
const WAITING_MS = 30_000;
/** Fires are kept for so long: jobs and their schedules are what is looked at. */
const FIRES_KEPT_MS = 90 * 24 * 3_600_000;

/** What the server does by itself, again and again. */
export function tickers(parts: Omit<WaitingParts, "refreshHost"> & UpkeepParts): Ticker[] {
  const { db, clock } = parts;
  return [
    {
      everyMs: WAITING_MS,
      doing: "give up jobs that wait too long",
      work: () => abandonWaiting({ ...parts, refreshHost }),
    },
    {
      everyMs: UPKEEP_MS,
      doing: "look after repositories",
      async work() {
        await giveUpUpkeep({ ...parts, endWaiting, refreshHost, jobOver });
        await upkeepTick(parts);
      },
    },
    {
      everyMs: 3_600_000,
      doing: "remove old fires",
      work: () => removeOldFires(db, clock.now() - FIRES_KEPT_MS),
    },
  ];
}
