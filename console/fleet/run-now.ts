import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import type { JobId } from "@restic-manager/protocol/ids";
import { api } from "../api.ts";
import { ApiProblem, asProblem } from "../api-problem.ts";
import { patch } from "../live.ts";

/** How starting a backup stands, by host. */
export type RunAttempt = { state: "asking" } | { state: "refused"; problem: ApiProblem };

export interface RunNow {
  attempts: ReadonlyMap<string, RunAttempt>;
  /** Runs the schedule that fires all groups of a host, or all its groups where there is none. Answers its first job, or null when refused, which is kept until the next attempt. */
  run: (host: Pick<HostRow, "id" | "covering_schedule">) => Promise<JobId | null>;
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
    async ({ id, covering_schedule: covering }: Pick<HostRow, "id" | "covering_schedule">) => {
      note(id, { state: "asking" });
      try {
        let first: JobId | undefined;
        if (covering) {
          const { jobs } = await api.runSchedule(id, covering.id);
          for (const job of jobs) patch(queryClient, { type: "job.changed", job }, Date.now());
          first = jobs[0]?.id;
        } else {
          const [answer] = (await api.runHosts([id])).items;
          if (answer?.outcome === "refused") throw new ApiProblem(answer.problem, 409);
          first = answer?.job_ids[0];
        }
        note(id, null);
        return first ?? null;
      } catch (error) {
        note(id, { state: "refused", problem: asProblem(error) });
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
