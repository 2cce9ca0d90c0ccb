import type { JobProgress } from "@restic-manager/protocol/jobs";
import { formatBytes } from "../format/bytes.ts";
import { formatCount } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Phases, type Phase } from "../ui/phases.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { Figures } from "./figures.tsx";
import styles from "./job.module.css";
import type { RunningJob } from "./kind-words.ts";
import { PathLine, Percentage, TimeLeft } from "./progress-parts.tsx";

type Progress = JobProgress<"backup">;

const PHASES: readonly { phase: Progress["phase"]; name: string }[] = [
  { phase: "waiting_for_repository", name: "Open repository" },
  { phase: "scan", name: "Scan" },
  { phase: "backup", name: "Back up" },
  { phase: "report", name: "Report snapshots" },
];
/** Lines of files that are read right now; as many are always there, so that nothing below moves. */
const FILE_LINES = [0, 1];

/** How far a backup is: percentage, phases, figures and what is read right now. */
export function BackupProgress({ job }: { job: RunningJob<"backup"> }) {
  const { progress } = job;
  const waits = progress?.phase === "waiting_for_repository";
  return (
    <>
      {waits && (
        <Notice state="warn" icon="late" title="Waiting for the repository">
          {progress.waiting_cause ?? "Another run holds its lock."} Nothing is lost: the backup goes on by
          itself as soon as the repository answers.
        </Notice>
      )}
      <Panel flush>
        <div className={styles.progress}>
          <Percentage fraction={progress?.fraction} />
          <div className={styles.course}>
            <ProgressLine
              fraction={progress?.fraction ?? null}
              label={`Progress of the backup of ${job.host.name}`}
              phase={waits ? "stalled" : "run"}
              tall
            />
            <Phases items={phasesAt(progress)} />
          </div>
          <TimeLeft seconds={progress?.phase === "backup" ? progress.seconds_remaining : undefined} />
        </div>
        <ProgressFigures progress={progress} />
        <div className={styles.files}>
          <span className={styles.label}>Now reading</span>
          <div className={styles.paths}>
            {FILE_LINES.map((line) => (
              <PathLine key={line} path={progress?.current_files[line] ?? ""} />
            ))}
          </div>
        </div>
      </Panel>
    </>
  );
}

/** The phases before the one it is in are done; the waiting is named only while it waits. */
export function phasesAt(progress: Progress | null): Phase[] {
  const at = PHASES.findIndex(({ phase }) => phase === (progress?.phase ?? "waiting_for_repository"));
  return PHASES.map(({ name }, index) => ({
    name,
    state: index < at ? "done" : index === at ? "running" : "next",
  }));
}

function ProgressFigures({ progress }: { progress: Progress | null }) {
  const errors = progress?.error_count ?? 0;
  return (
    <Figures
      items={[
        {
          label: "Bytes",
          value: <Bytes value={progress?.bytes_done ?? 0} />,
          of: progress?.bytes_total === undefined ? undefined : `of ${formatBytes(progress.bytes_total)}`,
        },
        {
          label: "Files",
          value: formatCount(progress?.files_done ?? 0),
          of: progress?.files_total === undefined ? undefined : `of ${formatCount(progress.files_total)}`,
        },
        {
          label: "Reading",
          value:
            progress?.bytes_per_second === undefined ? (
              "–"
            ) : (
              <Bytes value={progress.bytes_per_second} per="/s" />
            ),
        },
        {
          label: "Errors",
          value: formatCount(errors),
          of: errors === 0 ? "so far" : "could not be read so far",
          state: errors === 0 ? undefined : "warn",
        },
      ]}
    />
  );
}
