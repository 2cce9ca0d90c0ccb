import type { CreatedJob, Job, JobLogPage } from "@restic-manager/protocol/api/jobs";
import { queryOptions } from "@tanstack/react-query";
import type { z } from "zod";
import { ask } from "../api.ts";

type Created = z.infer<typeof CreatedJob>;

/** What is asked of one job. */
export const jobApi = {
  read: (jobId: string) => ask<Job>("GET", `/jobs/${jobId}`),
  /** Lines from `from` on, `limit` at most (10,000 is the server's most). */
  log: (jobId: string, from: number, limit: number) =>
    ask<JobLogPage>("GET", `/jobs/${jobId}/log?from=${from}&limit=${limit}`),
  /** `now`: kill rather than interrupt. */
  cancel: (jobId: string, now: boolean) => ask<Job>("POST", `/jobs/${jobId}/cancel`, { now }),
  backUp: (hostId: string, groupId: string) =>
    ask<Created>("POST", `/hosts/${hostId}/source-groups/${groupId}/run`, {}),
  openRepository: (hostId: string) => ask<Created>("POST", `/hosts/${hostId}/jobs`, { kind: "init" }),
};

/** One job; its stream and the event stream patch this entry. */
export const jobQuery = (jobId: string) =>
  queryOptions({ queryKey: ["job", jobId], queryFn: () => jobApi.read(jobId) });
