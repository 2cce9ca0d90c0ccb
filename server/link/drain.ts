import type { Clock } from "../platform/clock.ts";
import type { Connection } from "./connection.ts";

/** So many agents are sent away at once, and so long after the next: the other servers take them as they come. */
const STEP = 100;
const STEP_MS = 50;
/** It takes no longer than this, however many agents there are. */
const MOST_STEPS = 80;

/** Closes connections with "restarting", in small steps. */
export async function sendAway(connections: Connection[], clock: Clock): Promise<void> {
  const step = Math.max(STEP, Math.ceil(connections.length / MOST_STEPS));
  for (let waiting = connections; waiting.length > 0; waiting = waiting.slice(step)) {
    for (const connection of waiting.slice(0, step)) connection.close("restarting");
    if (waiting.length <= step) return;
    await new Promise<void>((resolve) => void clock.after(STEP_MS, resolve));
  }
}
