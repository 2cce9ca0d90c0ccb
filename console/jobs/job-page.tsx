import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { Compared } from "../compare/compared.tsx";
import { formatDuration } from "../format/durations.ts";
import { dayTime, timeSpan } from "../format/day-times.ts";
import { jobQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { Notice } from "../ui/notice.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Page } from "../ui/page.tsx";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { JobActions } from "./job-actions.tsx";
import { JobFailed } from "./job-failed.tsx";
import { JobLate } from "./job-late.tsx";
import { JobLogRemoved } from "./job-log-removed.tsx";
import { JobLog } from "./job-log.tsx";
import { JobUnheard, JobWaits } from "./job-waits.tsx";
import { issuesOf, JobCancelledWords, JobLeft, JobProgressView, JobResultView, kindWords } from "./kinds.tsx";
import { RestoreOf } from "./restore-of.tsx";
import { startedBy } from "./started-by.ts";

const route = getRouteApi("/signed-in/jobs/$jobId");

/** One job: how it stands, what it came to, its log. */
export function JobPage() {
  const { jobId } = route.useParams();
  const { data: job, error, refetch } = useQuery(jobQuery(jobId));
  if (job === undefined) {
    const crumbs = [
      { title: "Fleet", href: "/" },
      { title: "Jobs", href: "/jobs" },
      { title: shortId(jobId) },
    ];
    return (
      <Page>
        <PageHeader title="Job" crumbs={crumbs} />
        <PageProblem
          error={error}
          missing="There is no such job"
          missingText="It may have been removed together with its host."
          onRetry={() => void refetch()}
        />
      </Page>
    );
  }
  return (
    <Page>
      <JobHeader job={job} />
      <JobLate job={job} />
      <JobState job={job} />
      {job.log.removed === undefined ? (
        <Log job={job} />
      ) : (
        <JobLogRemoved lines={job.log.lines} removed={job.log.removed} ended={endOf(job)} />
      )}
    </Page>
  );
}

/** What a restore or a comparison logs names files of a snapshot, which the server tells operators only. */
function Log({ job }: { job: Job }) {
  const { operate } = useMay();
  if (!operate && (job.kind === "restore" || job.kind === "diff"))
    return (
      <Notice state="idle" title="Only operators read this log">
        It names files of a snapshot. How it stands and what came of it is above.
      </Notice>
    );
  return <JobLog key={job.id} job={job} label={`Log of the ${nameOf(job)} of ${job.host.name}`} />;
}

function JobHeader({ job }: { job: Job }) {
  const { id, name } = job.host;
  return (
    <PageHeader
      crumbs={[
        { title: "Fleet", href: "/" },
        { title: name, href: `/hosts/${id}` },
        { title: "Jobs", href: `/hosts/${id}?tab=jobs` },
        { title: shortId(job.id) },
      ]}
      title={
        <>
          {kindWords[job.kind].title} <span className="mono">{name}</span>
        </>
      }
      status={<StatusMark {...jobWord(job.state, issuesOf(job))} chip />}
      note={
        <>
          {job.kind === "restore" && <RestoreOf job={job} />}
          {job.kind === "diff" && <Compared job={job} />}
          {job.source_group !== null && (
            <>
              <span>{job.source_group.name}</span>
              <span aria-hidden="true">·</span>
            </>
          )}
          <span>by {startedBy(job)}</span>
          <span aria-hidden="true">·</span>
          <JobTimes job={job} />
        </>
      }
      actions={<JobActions job={job} />}
    />
  );
}

function JobTimes({ job }: { job: Job }) {
  const started = "started_at" in job && job.started_at !== null ? Date.parse(job.started_at) : null;
  const finished = "finished_at" in job ? Date.parse(job.finished_at) : null;
  const words = useTimeText((now) => {
    if (finished === null) return "";
    if (started === null) return `ended ${dayTime(finished, now)} without having started`;
    return `${timeSpan(started, finished, now)}, ${formatDuration(finished - started)}`;
  });
  if (finished !== null) return <span>{words}</span>;
  return (
    <span>
      {started === null ? "queued " : "started "}
      <TimeAgo at={started ?? Date.parse(job.created_at)} />
    </span>
  );
}

function JobState({ job }: { job: Job }) {
  switch (job.state) {
    case "queued":
      return <JobWaits job={job} />;
    case "running":
      return (
        <>
          <JobUnheard job={job} />
          <JobProgressView job={job} />
        </>
      );
    case "succeeded":
      return <JobResultView job={job} />;
    case "failed":
      return (
        <>
          <JobFailed job={job} />
          <JobLeft job={job} />
        </>
      );
    case "cancelled":
      return (
        <>
          <JobCancelled job={job} />
          <JobLeft job={job} />
        </>
      );
  }
}

function JobCancelled({ job }: { job: Extract<Job, { state: "cancelled" }> }) {
  const asked = job.cancel_requested_at;
  const when = useTimeText((now) => dayTime(Date.parse(asked ?? job.finished_at), now));
  const { started_at: started } = job;
  const after =
    started === null ? "" : formatDuration(Date.parse(asked ?? job.finished_at) - Date.parse(started));
  return (
    <Notice state="idle" icon="cancelled" title={`The ${nameOf(job)} was cancelled at ${when}`}>
      {started === null ? (
        "It had not started: nothing was read and nothing was saved."
      ) : (
        <>
          {`It had run for ${after}. `}
          <JobCancelledWords job={job} />
        </>
      )}
    </Notice>
  );
}

function endOf(job: Job): number | null {
  return "finished_at" in job ? Date.parse(job.finished_at) : null;
}

function nameOf(job: Job): string {
  return kindWords[job.kind].noun;
}

/** An id that people can tell from another: its beginning is the time, its end is chance. */
function shortId(id: string): string {
  return `${id.slice(0, 5)}…${id.slice(-4)}`;
}
