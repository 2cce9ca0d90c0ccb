import type { JobProgress } from "@restic-manager/protocol/jobs";
import { lazy, Suspense } from "react";
import { allOf } from "../compare/change-words.ts";
import { formatDuration } from "../format/durations.ts";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { Figures } from "./figures.tsx";
import styles from "./job.module.css";
import type { KindWords, RunningJob, SucceededJob } from "./kind-words.ts";

// Only the page of a comparison needs its table; the words above are needed wherever jobs are listed.
const Changes = lazy(async () => ({ default: (await import("../compare/changes.tsx")).Changes }));
const FolderTotals = lazy(async () => ({
  default: (await import("../compare/folder-totals.tsx")).FolderTotals,
}));

/** What differs between two snapshots. */
export const diffKind: KindWords<"diff"> = {
  name: "Compare",
  noun: "comparison",
  title: "Comparing snapshots of",
  again: "Compare again",
  resultInWords: ({ counts }) =>
    allOf(counts) === 0
      ? "Nothing differs"
      : `${formatCount(counts.added)} added, ${formatCount(counts.removed)} removed, ${formatCount(counts.modified + counts.type_changed)} changed`,
  issuesOf: () => 0,
  Progress: DiffProgress,
  Result: DiffResult,
  left: "What it had found by then is listed below.",
  Survived: () => "Nothing was changed: a comparison only reads. What it had found by then is listed below.",
  Left: ({ job }) =>
    job.started_at === null ? null : (
      <Suspense>
        <Changes job={job} counts={undefined} />
      </Suspense>
    ),
};

function DiffProgress({ job }: { job: RunningJob<"diff"> }) {
  const { progress } = job;
  const cause = progress?.waiting_cause;
  return (
    <>
      {cause !== undefined && (
        <Notice state="warn" icon="late" title="Waiting for the repository">
          {cause} The comparison goes on by itself as soon as the repository answers.
        </Notice>
      )}
      <Panel flush>
        <Course job={job} stalled={cause !== undefined} />
        <Figures items={figuresOf(progress)} />
      </Panel>
      <Suspense>
        <Changes job={job} counts={progress?.counts} />
      </Suspense>
    </>
  );
}

function Course({ job, stalled }: { job: RunningJob<"diff">; stalled: boolean }) {
  const { progress } = job;
  const seconds = progress?.seconds_elapsed;
  return (
    <div className={styles.alone}>
      <ProgressLine
        fraction={null}
        label={`Comparing snapshots of ${job.host.name}`}
        phase={stalled ? "stalled" : "run"}
        tall
      />
      <p className="quiet">
        {progress === null
          ? "The agent opens both snapshots."
          : `Compared for ${formatDuration((seconds ?? 0) * 1_000)}; how long it takes is known when it is over.`}
      </p>
    </div>
  );
}

function figuresOf(progress: JobProgress<"diff"> | null) {
  const counts = progress?.counts;
  return [
    { label: "Added", value: formatCount(counts?.added ?? 0) },
    { label: "Removed", value: formatCount(counts?.removed ?? 0) },
    { label: "Changed", value: formatCount((counts?.modified ?? 0) + (counts?.type_changed ?? 0)) },
    { label: "Only metadata", value: formatCount(counts?.metadata ?? 0) },
  ];
}

function DiffResult({ job }: { job: SucceededJob<"diff"> }) {
  const { added, removed, counts, kept, sizes_known, truncated, duration_seconds } = job.result;
  return (
    <>
      {truncated && (
        <Notice state="warn" title={`${formatCount(kept)} of ${countOf(allOf(counts), "change")} are listed`}>
          No more are kept of one comparison. The figures and the folders know all of them.
        </Notice>
      )}
      <Vitals
        items={[
          {
            label: "Added",
            value: formatCount(counts.added),
            note: `${formatBytes(added.bytes)} that only the newer has`,
          },
          {
            label: "Removed",
            value: formatCount(counts.removed),
            note: `${formatBytes(removed.bytes)} that only the older has`,
          },
          {
            label: "Changed",
            value: formatCount(counts.modified + counts.type_changed),
            note:
              counts.type_changed === 0
                ? "other content"
                : `${formatCount(counts.type_changed)} of another type`,
          },
          { label: "Only metadata", value: formatCount(counts.metadata), note: "owner, permissions, times" },
          {
            label: "Net",
            value: (
              <>
                {added.bytes < removed.bytes ? "−" : "+"}
                <Bytes value={Math.abs(added.bytes - removed.bytes)} />
              </>
            ),
            note: "in the repository, before compression",
          },
          { label: "Took", value: <Duration value={duration_seconds * 1_000} /> },
        ]}
      />
      <Suspense>
        <FolderTotals job={job} sizesKnown={sizes_known} />
        <Changes job={job} counts={counts} />
      </Suspense>
    </>
  );
}
