import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { Notice } from "../ui/notice.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { IssueTable } from "./issue-table.tsx";
import type { SucceededJob } from "./kind-words.ts";

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
      <IssueTable title="Not backed up" issues={result.issues} total={result.issue_count} />
    </>
  );
}
