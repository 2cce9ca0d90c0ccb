import type { FleetServer } from "../fleet-server.ts";
import { identityOf } from "../simulated/identity.ts";

/** Requests that are under way at once at most. */
const AT_ONCE = 16;

/** What the dispatcher has done so far. */
export interface Work {
  requested: number;
  /** Requests that were not taken, with the words of the last one. */
  refused: number;
  lastRefusal: string;
  stop(): Promise<void>;
}

/**
 * Starts backups by the API as a person would, machine after machine, so that each gets its next one when its last should be over.
 *
 * @param everyMs how long each machine has for one backup.
 */
export function keepBusy(server: FleetServer, agents: number, seed: number, everyMs: number): Work {
  const stopping = new AbortController();
  const began = performance.now();
  let next = 0;
  const one = async (): Promise<void> => {
    const due = began + (next * everyMs) / agents;
    const { hostId, groupId } = identityOf(seed, next % agents);
    next += 1;
    await Bun.sleep(Math.max(0, due - performance.now()));
    if (stopping.signal.aborted) return;
    try {
      const response = await server.ask(`/api/hosts/${hostId}/source-groups/${groupId}/run`, {
        method: "POST",
        body: {},
      });
      const text = await response.text();
      work.requested += 1;
      if (response.ok) return;
      work.refused += 1;
      work.lastRefusal = `${response.status} ${text.slice(0, 200)}`;
    } catch (error) {
      work.refused += 1;
      work.lastRefusal = error instanceof Error ? error.message : String(error);
    }
  };
  const worker = async (): Promise<void> => {
    while (!stopping.signal.aborted) await one();
  };
  const workers = Promise.all(Array.from({ length: AT_ONCE }, worker));
  const work: Work = {
    requested: 0,
    refused: 0,
    lastRefusal: "",
    async stop() {
      stopping.abort();
      await workers;
    },
  };
  return work;
}
