import { useQuery } from "@tanstack/react-query";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { dayTime } from "../format/day-times.ts";
import { hostQuery } from "../queries.ts";
import { Notice } from "../ui/notice.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { StopBackup } from "./stop-backup.tsx";
import { kindWords } from "./kinds.tsx";

/** What a queued job waits for, in words. */
export function JobWaits({ job }: { job: Extract<Job, { state: "queued" }> }) {
  const { data: host } = useQuery(hostQuery(job.host.id));
  const seen = host?.last_seen_at ?? null;
  const since = useTimeText((now) => (seen === null ? "" : ` since ${dayTime(Date.parse(seen), now)}`));
  const what = kindWords[job.kind].noun;
  const { name } = job.host;
  switch (job.waits_for) {
    case "host_offline":
      return (
        <Notice state="idle" icon="offline" title={`${name} is offline${since}`}>
          {seen === null
            ? "Its agent has never connected. The job is queued and starts when it does."
            : "The job is queued and starts when the machine returns."}
        </Notice>
      );
    case "delivery":
      return (
        <Notice state="idle" icon="queued" title={`The ${what} is on its way to ${name}`}>
          It starts as soon as the agent has taken it.
        </Notice>
      );
    case "turn":
      return (
        <Notice
          state="idle"
          icon="queued"
          title={`${name} has taken the ${what}; its turn has not come yet`}
          actions={job.kind === "restore" && host !== undefined && <StopBackup host={host} />}
        >
          One restic runs at a time on a machine.{" "}
          {job.kind === "restore"
            ? "It starts when what runs has ended, before anything else that waits."
            : "It starts when the jobs before it have ended."}
        </Notice>
      );
    case "repository": {
      const first = job.waits_on;
      const other =
        first === undefined ? "another job" : `${kindWords[first.kind].name} of ${first.host.name}`;
      return (
        <Notice state="idle" icon="queued" title={`The ${what} waits for ${other}`}>
          It needs the repository for itself, and starts when that has ended.
        </Notice>
      );
    }
  }
}

/** Says that a running job's machine cannot be heard. */
export function JobUnheard({ job }: { job: Extract<Job, { state: "running" }> }) {
  const { data: host } = useQuery(hostQuery(job.host.id));
  const seen = host?.last_seen_at ?? null;
  const since = useTimeText((now) => (seen === null ? "" : ` since ${dayTime(Date.parse(seen), now)}`));
  if (host === undefined || host.online) return null;
  return (
    <Notice state="idle" icon="offline" title={`${job.host.name} is offline${since}`}>
      Below is what it last reported. The job goes on there if the machine runs; outcome and log come when it
      returns.
    </Notice>
  );
}
