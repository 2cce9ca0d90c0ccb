import type { JobProgress } from "@restic-manager/protocol/jobs";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Phases, type Phase } from "../ui/phases.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { Figures } from "./figures.tsx";
import styles from "./job.module.css";
import type { RunningJob } from "./kind-words.ts";
import { PathLine, Percentage, TimeLeft } from "./progress-parts.tsx";

type Progress = JobProgress<"restore">;

const PHASES: readonly { phase: Progress["phase"]; name: string }[] = [
  { phase: "waiting_for_repository", name: "Open snapshot" },
  { phase: "measuring", name: "Measure" },
  { phase: "restoring", name: "Write files" },
  { phase: "verifying", name: "Verify" },
  { phase: "finishing", name: "Finish" },
];

/** How far a restore is: percentage, phases, figures, what is written right now and what could not be. */
export function RestoreProgress({ job }: { job: RunningJob<"restore"> }) {
  const { progress } = job;
  const waits = progress?.phase === "waiting_for_repository" && progress.waiting_cause !== undefined;
  return (
    <>
      {waits && (
        <Notice state="warn" icon="late" title="Waiting for the repository">
          {progress.waiting_cause} The restore goes on by itself as soon as the repository answers.
        </Notice>
      )}
      <Panel flush>
        <div className={styles.progress}>
          <Percentage fraction={progress?.fraction} />
          <div className={styles.course}>
            <ProgressLine
              fraction={progress?.fraction ?? null}
              label={`Progress of the restore on ${job.host.name}`}
              phase={waits ? "stalled" : "run"}
              tall
            />
            <Phases items={phasesAt(progress)} />
          </div>
          <TimeLeft seconds={progress?.phase === "restoring" ? progress.seconds_remaining : undefined} />
        </div>
        <RestoreFigures progress={progress} />
        <div className={styles.files}>
          <span className={styles.label}>Now writing</span>
          <div className={styles.paths}>
            <PathLine path={progress?.current_file ?? ""} />
          </div>
        </div>
        <p className={styles.rest}>
          If you cancel, the files already written stay.
          {progress !== null && progress.where !== "/" && " Nothing outside the target folder is touched."}
        </p>
      </Panel>
      {progress !== null && progress.errors.length > 0 && <Errors progress={progress} />}
    </>
  );
}

function RestoreFigures({ progress }: { progress: Progress | null }) {
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
          label: "Speed",
          value:
            progress?.bytes_per_second === undefined ? (
              "–"
            ) : (
              <Bytes value={progress.bytes_per_second} per="/s" />
            ),
        },
        {
          label: "Target",
          value: (
            <span className={styles.target}>
              {progress === null ? "–" : progress.where === "/" ? "in place" : progress.where}
            </span>
          ),
        },
      ]}
    />
  );
}

/** The phases before the one it is in are done. */
function phasesAt(progress: Progress | null): Phase[] {
  const at = PHASES.findIndex(({ phase }) => phase === (progress?.phase ?? "waiting_for_repository"));
  return PHASES.map(({ name }, index) => ({
    name,
    state: index < at ? "done" : index === at ? "running" : "next",
  }));
}

function Errors({ progress }: { progress: Progress }) {
  const newest = progress.errors.toReversed();
  return (
    <Notice state="warn" title={`${countOf(progress.error_count, "item")} could not be restored so far`}>
      <ul className={styles.errors}>
        {newest.map(({ path, message }) => (
          <li key={`${path}\n${message}`}>
            <span className="mono">{path}</span> {message}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
