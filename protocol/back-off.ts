import { BACK_OFF_CAP_MS } from "./limits.ts";

/** How long to wait before try number `attempt` (1 is the first repetition), in milliseconds: doubled each time, up to half an hour. */
export function backOffMs(seconds: number, attempt: number): number {
  return Math.min(BACK_OFF_CAP_MS, seconds * 1_000 * 2 ** Math.min(30, Math.max(0, attempt - 1)));
}
