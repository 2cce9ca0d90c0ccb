import type { JobResult } from "@restic-manager/protocol/jobs";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { issuePlaces } from "./issue-places.ts";
import styles from "./job.module.css";
import type { SucceededJob } from "./kind-words.ts";

/** Places shown; a backup with more needs its log. */
const MOST_PLACES = 50;

/** What a backup saved, and first what it could not. */
export function BackupResult({ job }: { job: SucceededJob<"backup"> }) {
  const { result } = job;
  const short = result.snapshot_id?.slice(0, 8);
  return (
    <>
      {result.issue_count > 0 && (
        <Notice
          state="warn"
          title={
            short === undefined
              ? `${countOf(result.issue_count, "file")} could not be read`
              : `Snapshot ${short} was saved, but ${countOf(result.issue_count, "file is", "files are")} not in it`
          }
        >
          The agent could not read {result.issue_count === 1 ? "it" : "them"}. See below which and why.
        </Notice>
      )}
      <Vitals
        items={[
          {
            label: "Files",
            value: formatCount(result.total_files_processed),
            note: `${formatCount(result.files_new)} new, ${formatCount(result.files_changed)} changed`,
          },
          {
            label: "Read",
            value: <Bytes value={result.total_bytes_processed} />,
            note: `in ${countOf(result.dirs_new + result.dirs_changed + result.dirs_unmodified, "folder")}`,
          },
          {
            label: "Added",
            value: <Bytes value={result.data_added} />,
            note: `${formatBytes(result.data_added_packed)} stored`,
          },
          { label: "Duration", value: <Duration value={result.duration_seconds * 1000} /> },
          {
            label: "Snapshot",
            value: short === undefined ? "None: nothing had changed" : <span className="mono">{short}</span>,
            note: job.source_group === null ? undefined : `tag ${job.source_group.name}`,
          },
        ]}
      />
      {result.issue_count > 0 && <NotBackedUp result={result} />}
    </>
  );
}

function NotBackedUp({ result }: { result: JobResult<"backup"> }) {
  const places = issuePlaces(result.issues);
  const shown = places.slice(0, MOST_PLACES);
  const listed = shown.reduce((sum, place) => sum + place.files, 0);
  const rest = Math.max(0, result.issue_count - listed);
  return (
    <Panel
      flush
      title="Not backed up"
      note={`${countOf(result.issue_count, "file")}, counted once each, by folder and reason.`}
    >
      <div role="table" aria-label="Not backed up" className={styles.issues}>
        <div role="row" className={styles.issueHead}>
          <span role="columnheader">Where</span>
          <span role="columnheader">Why</span>
          <span role="columnheader" className={styles.count}>
            Files
          </span>
        </div>
        {shown.map((place) => (
          <div role="row" key={`${place.where}\n${place.why}`} className={styles.issue}>
            <span role="cell" className={`mono ${styles.where}`}>
              {place.where}
            </span>
            <span role="cell" className={styles.why}>
              <StateIcon state="warn" icon="issues" size={15} />
              {place.why}
            </span>
            <span role="cell" className={styles.count}>
              {formatCount(place.files)}
            </span>
          </div>
        ))}
      </div>
      {rest > 0 && (
        <p className={styles.rest}>
          {countOf(rest, "more file is", "more files are")} not listed here; the log below names every one.
        </p>
      )}
    </Panel>
  );
}
