import { useInfiniteQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { formatDuration } from "../format/durations.ts";
import { formatPercent } from "../format/numbers.ts";
import { issuesOf, kindWords, resultInWords } from "../jobs/kinds.tsx";
import { startedBy } from "../jobs/started-by.ts";
import { jobsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import type { Column } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";

/** Jobs on the overview. */
const RECENT = 6;

const COLUMNS: readonly Column<Job>[] = [
  {
    id: "job",
    title: "Job",
    width: "minmax(150px, 1.2fr)",
    phone: "name",
    cell: (job) => (
      <>
        {kindWords[job.kind].name} <span className="quiet">{job.source_group?.name}</span>
      </>
    ),
  },
  {
    id: "outcome",
    title: "Outcome",
    width: "minmax(150px, 1fr)",
    phone: "state",
    cell: (job) => <Outcome job={job} />,
  },
  {
    id: "result",
    title: "Result",
    width: "minmax(140px, 1.6fr)",
    phone: "detail",
    cell: (job) => (
      <>
        <Result job={job} />
        <span className={styles.phone}>
          <TimeAgo at={timeOf(job)} inRow />
        </span>
      </>
    ),
  },
  {
    id: "actor",
    title: "Started by",
    width: "minmax(90px, 0.7fr)",
    from: 1080,
    cell: (job) => <span className="quiet">{startedBy(job)}</span>,
  },
  {
    id: "when",
    title: "When",
    width: "92px",
    align: "end",
    cell: (job) => <TimeAgo at={timeOf(job)} inRow />,
  },
];

function Outcome({ job }: { job: Job }) {
  const words = jobWord(job.state, issuesOf(job));
  const fraction = fractionOf(job);
  return (
    <StatusMark
      {...words}
      word={fraction === null ? words.word : `${words.word} ${formatPercent(fraction)} %`}
    />
  );
}

function Result({ job }: { job: Job }) {
  if (job.state === "running") {
    return (
      <span className={styles.bar}>
        <ProgressLine fraction={fractionOf(job)} label={`Progress of the job on ${job.host.name}`} />
      </span>
    );
  }
  const started = "started_at" in job ? job.started_at : null;
  const took =
    started === null || !("finished_at" in job)
      ? ""
      : formatDuration(Date.parse(job.finished_at) - Date.parse(started));
  const words = resultInWords(job);
  if (job.state === "failed") return words;
  if (job.state === "cancelled") return took === "" ? "before it started" : `after ${took}`;
  return [words, took].filter((part) => part !== "").join(", ");
}

function fractionOf(job: Job): number | null {
  if (job.state !== "running" || job.progress === null) return null;
  return "fraction" in job.progress ? (job.progress.fraction ?? null) : null;
}

function timeOf(job: Job): number {
  if ("finished_at" in job) return Date.parse(job.finished_at);
  return Date.parse(job.state === "running" ? job.started_at : job.created_at);
}

function JobTable({ host, most }: { host: Host; most?: number }) {
  const { data, error, fetchNextPage, hasNextPage } = useInfiniteQuery(jobsQuery({ host_id: host.id }));
  const all = data?.pages.flatMap((page) => page.items) ?? [];
  const rows = most === undefined ? all : all.slice(0, most);
  return (
    <DataTable
      label={`Jobs of ${host.name}`}
      columns={COLUMNS}
      rows={rows}
      idOf={(job) => job.id}
      nameOf={(job) => kindWords[job.kind].name}
      hrefOf={(job) => `/jobs/${job.id}`}
      // The server does not count jobs; one more than there are rows says that more can be asked for.
      total={most === undefined && hasNextPage ? rows.length + 1 : rows.length}
      listId={host.id}
      onMore={() => void fetchNextPage()}
      empty={<NoJobs loading={data === undefined} error={error} />}
    />
  );
}

function NoJobs({ loading, error }: { loading: boolean; error: Error | null }) {
  if (loading && error !== null) {
    return <EmptyState kind="refused" title="The jobs could not be read" text={error.message} />;
  }
  if (loading) return <EmptyState kind="filtered" title="Loading the jobs…" />;
  return (
    <EmptyState
      kind="first"
      title="No job yet"
      text="The first opens the repository, as soon as the agent connects."
    />
  );
}

/** The last few, on the overview. */
export function RecentJobs({ host }: { host: Host }) {
  return (
    <Panel
      flush
      title="Recent jobs"
      actions={
        <AppLink className="link" href={`/hosts/${host.id}?tab=jobs`}>
          All jobs
        </AppLink>
      }
    >
      <JobTable host={host} most={RECENT} />
    </Panel>
  );
}

/** Every job of this machine, newest first. */
export function HostJobs({ host }: { host: Host }) {
  return (
    <Panel flush title="Jobs" note="Newest first.">
      <JobTable host={host} />
    </Panel>
  );
}
