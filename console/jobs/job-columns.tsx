import type { Job } from "@restic-manager/protocol/api/jobs";
import { formatPercent } from "../format/numbers.ts";
import type { Column } from "../ui/data-table/column.ts";
import { Duration } from "../ui/quantity.tsx";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { issuesOf, kindWords, resultInWords } from "./kinds.tsx";
import styles from "./jobs-page.module.css";
import { startedBy } from "./started-by.ts";

/** The columns of a list of jobs. */
export function jobColumns(): readonly Column<Job>[] {
  return [
    {
      id: "state",
      title: "State",
      width: "190px",
      phone: "state",
      cell: (job) => <StatusMark {...jobWord(job.state, issuesOf(job))} />,
    },
    {
      id: "kind",
      title: "Job",
      width: "minmax(110px, 0.7fr)",
      phone: "name",
      cell: (job) => (
        <>
          <span className={styles.name}>{kindWords[job.kind].name}</span>
          {job.source_group !== null && <span className="quiet"> {job.source_group.name}</span>}
        </>
      ),
    },
    {
      id: "host",
      title: "Host",
      width: "minmax(130px, 1fr)",
      cell: (job) => <span className={styles.host}>{job.host.name}</span>,
    },
    {
      id: "outcome",
      title: "What came of it",
      width: "minmax(220px, 2.2fr)",
      phone: "detail",
      cell: (job) => <Outcome job={job} />,
    },
    {
      id: "actor",
      title: "Started by",
      width: "minmax(90px, 0.6fr)",
      from: 1240,
      cell: (job) => startedBy(job),
    },
    {
      id: "took",
      title: "Took",
      width: "110px",
      align: "end",
      from: 1080,
      cell: (job) => <Took job={job} />,
    },
    {
      id: "when",
      title: "When",
      width: "110px",
      align: "end",
      cell: (job) => <TimeAgo at={Date.parse(whenOf(job))} inRow />,
    },
  ];
}

function whenOf(job: Job): string {
  if ("finished_at" in job) return job.finished_at;
  return job.state === "running" ? job.started_at : job.created_at;
}

function Took({ job }: { job: Job }) {
  if (!("finished_at" in job) || job.started_at === null) return null;
  return <Duration value={Date.parse(job.finished_at) - Date.parse(job.started_at)} />;
}

const WAITS: Record<Extract<Job, { state: "queued" }>["waits_for"], string> = {
  host_offline: "Starts when the host is back",
  delivery: "On its way to the agent",
  turn: "Waits for its turn",
};

/** On a phone the second line has to name the host, for which there is no column. */
function Outcome({ job }: { job: Job }) {
  return (
    <>
      <span className={`${styles.host} ${styles.phoneOnly}`}>{job.host.name} </span>
      <OutcomeWords job={job} />
    </>
  );
}

function OutcomeWords({ job }: { job: Job }) {
  switch (job.state) {
    case "queued":
      return <span className="quiet">{WAITS[job.waits_for]}</span>;
    case "running": {
      const { progress } = job;
      const fraction = progress !== null && "fraction" in progress ? progress.fraction : undefined;
      if (job.cancel_requested_at !== null) return <span className="quiet">Cancelling…</span>;
      return (
        <span className={styles.outcome} data-state="run">
          {typeof fraction === "number" ? `${formatPercent(fraction)} %` : "Under way"}
        </span>
      );
    }
    case "succeeded":
    case "failed": {
      const words = resultInWords(job);
      const state = job.state === "failed" ? "fail" : issuesOf(job) > 0 ? "warn" : "ok";
      return (
        <span className={styles.outcome} data-state={state} data-exact={words}>
          {words}
        </span>
      );
    }
    case "cancelled":
      return <span className="quiet">{job.started_at === null ? "Before it began" : "While it ran"}</span>;
  }
}
