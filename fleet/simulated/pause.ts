import type { Timers } from "@restic-manager/agent/timers";

/** Resolves after `ms` milliseconds, or at once when the signal is aborted. */
export function pause(timers: Pick<Timers, "after">, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const cancel = timers.after(ms, end);
    signal.addEventListener("abort", end);
  });
}
