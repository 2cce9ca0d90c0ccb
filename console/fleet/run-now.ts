import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { api } from "../api.ts";
import { ApiProblem, asProblem } from "../api-problem.ts";
import { patch } from "../live.ts";

/** How starting a backup stands, by host. */
export type RunAttempt = { state: "asking" } | { state: "refused"; problem: ApiProblem };

export interface RunNow {
  attempts: ReadonlyMap<string, RunAttempt>;
  /** Starts a host's first source group; answers the job, or null when refused, which is kept until the next attempt. */
  run: (hostId: string) => Promise<Job | null>;
  /** Backs up many hosts with one request and answers how many are queued; each that is refused is kept like a refusal of `run`. */
  runMany: (hostIds: readonly string[]) => Promise<number>;
}

/** Starts backups; nothing is shown as queued before the server says so. */
export function useRunNow(): RunNow {
  const queryClient = useQueryClient();
  const [attempts, setAttempts] = useState<ReadonlyMap<string, RunAttempt>>(new Map());
  const note = useCallback((hostId: string, attempt: RunAttempt | null) => {
    setAttempts((known) => {
      const next = new Map(known);
      if (attempt === null) next.delete(hostId);
      else next.set(hostId, attempt);
      return next;
    });
  }, []);
  const run = useCallback(
    async (hostId: string) => {
      note(hostId, { state: "asking" });
      try {
        const { items } = await api.sourceGroups(hostId);
        const [group] = items;
        if (group === undefined) throw new ApiProblem(NO_GROUP, 409);
        const { job } = await api.runGroup(hostId, group.id);
        patch(queryClient, { type: "job.changed", job }, Date.now());
        note(hostId, null);
        return job;
      } catch (error) {
        note(hostId, { state: "refused", problem: asProblem(error) });
        return null;
      }
    },
    [note, queryClient],
  );
  const runMany = useCallback(
    async (hostIds: readonly string[]) => {
      for (const hostId of hostIds) note(hostId, { state: "asking" });
      try {
        const { items } = await api.runHosts(hostIds);
        for (const item of items) {
          const refused = item.outcome === "refused" ? new ApiProblem(item.problem, 409) : null;
          note(item.host_id, refused && { state: "refused", problem: refused });
        }
        return items.filter((item) => item.outcome === "queued").length;
      } catch (error) {
        const problem = asProblem(error);
        for (const hostId of hostIds) note(hostId, { state: "refused", problem });
        return 0;
      }
    },
    [note],
  );
  // The same object while nothing changed: a new one would draw every row of the table again.
  return useMemo(() => ({ attempts, run, runMany }), [attempts, run, runMany]);
}

const NO_GROUP = {
  code: "not_found",
  message: "This host has no source group: nothing says what to back up.",
};
