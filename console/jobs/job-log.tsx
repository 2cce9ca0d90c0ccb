import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { useEffect, useEffectEvent, useState } from "react";
import { api } from "../api.ts";
import { newerJob, patchProgress } from "../live-patches.ts";
import { jobQuery, meQuery } from "../queries.ts";
import { LiveLog } from "../ui/live-log/live-log.tsx";
import { LogBook } from "../ui/live-log/log-book.ts";
import { downloadLog } from "./download-log.ts";
import { followLog } from "./follow-log.ts";

/** A job's log, which also keeps the job on this page current. Shown anew (by `key`) for every job. */
export function JobLog({ job, label }: { job: Job; label: string }) {
  const queryClient = useQueryClient();
  const router = useRouter();
  const read = (from: number, limit: number) => api.jobLog(job.id, { from, limit });
  const [book] = useState(() => new LogBook(read));
  const { queryKey } = jobQuery(job.id);
  const onJob = useEffectEvent((fresh: Job) =>
    queryClient.setQueryData(queryKey, (known) => newerJob(known, fresh)),
  );
  const onProgress = useEffectEvent((progress: Record<string, unknown>) =>
    queryClient.setQueryData(queryKey, (known) =>
      known === undefined
        ? undefined
        : patchProgress(known, {
            type: "job.progress",
            job_id: job.id,
            host_id: job.host.id,
            kind: job.kind,
            progress,
          }),
    ),
  );
  const onSignedOut = useEffectEvent(() => {
    const { href } = router.state.location;
    queryClient.removeQueries({ queryKey: meQuery.queryKey });
    router.history.push(`/sign-in?next=${encodeURIComponent(href)}`);
  });

  useEffect(() => {
    const following = followLog({
      jobId: job.id,
      book,
      open: (url) => new EventSource(url),
      read: (from, limit) => api.jobLog(job.id, { from, limit }),
      later: (ms, act) => {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
      random: Math.random,
      onJob: (fresh) => onJob(fresh),
      onProgress: (progress) => onProgress(progress),
      onSignedOut: () => onSignedOut(),
    });
    const look = () => (document.hidden ? following.pause() : following.resume());
    look();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      following.stop();
    };
  }, [job.id, book]);

  return (
    <LiveLog
      label={label}
      source={book}
      download={(onFraction) =>
        downloadLog(read, `${job.kind}-${job.host.name}-${job.id}.log.txt`, onFraction)
      }
    />
  );
}
