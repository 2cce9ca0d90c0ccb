import type { Job } from "@restic-manager/protocol/api/jobs";
import type { JobResult } from "@restic-manager/protocol/jobs";
import { formatBytes } from "../format/bytes.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { CopyField } from "../ui/copy-field.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { Vitals, type Vital } from "../ui/vitals.tsx";
import { IssueTable } from "./issue-table.tsx";
import styles from "./job.module.css";

type Result = JobResult<"restore">;

/** What a restore did, or had done when it ended early: counts, where, what is missing, and how to do the same without us. */
export function RestoreReport({ job, result }: { job: Job; result: Result }) {
  const whole = job.state === "succeeded";
  return (
    <>
      {whole && <Outcome result={result} />}
      <Vitals items={vitalsOf(result)} />
      {(result.command !== null || !result.in_place) && (
        <Panel title="Where it is, and how to do the same">
          <div className={styles.copies}>
            {!result.in_place && !result.dry_run && <CopyField label="Folder" value={result.where} />}
            {result.command !== null && (
              <>
                <CopyField label="With restic alone, in a shell" value={result.command} />
                <p className="quiet">
                  It holds no secret: restic asks for the repository's password, or takes it from the
                  environment.
                </p>
              </>
            )}
          </div>
        </Panel>
      )}
      {result.issues.length > 0 && (
        <IssueTable title="Not restored" issues={result.issues} total={result.issue_count} />
      )}
      {result.deleted.length > 0 && <Deleted result={result} />}
    </>
  );
}

function Outcome({ result }: { result: Result }) {
  if (result.dry_run)
    return (
      <Notice state="idle" title="This was a preview: nothing was written">
        {result.space !== undefined &&
          (result.space.enough
            ? `There is room: ${formatBytes(result.space.free)} are free.`
            : `There is not enough room: ${formatBytes(result.space.needed)} are needed, ${formatBytes(result.space.free)} are free.`)}
      </Notice>
    );
  if (result.issue_count > 0)
    return (
      <Notice
        state="warn"
        title={`Restored, but ${countOf(result.issue_count, "item is", "items are")} not as in the snapshot`}
      >
        {/* Which they are only operators are told. */}
        {result.issues.length > 0 ? "See below which and why." : "Operators see which and why."}
      </Notice>
    );
  return (
    <Notice
      state="ok"
      title={result.in_place ? "The files are back in place" : `The files are in ${result.where}`}
    >
      {result.verified ? "Every restored file was read again and is as in the snapshot." : undefined}
      {result.ownership_dropped
        ? " They belong to root: who owned them is not kept in a new folder."
        : undefined}
    </Notice>
  );
}

function vitalsOf(result: Result): Vital[] {
  return [
    {
      label: result.dry_run ? "To restore" : "Restored",
      value: formatCount(result.files_restored),
      note: `of ${countOf(result.files_total, "file or folder", "files and folders")}`,
    },
    {
      label: "Written",
      value: <Bytes value={result.bytes_restored} />,
      note: `of ${formatBytes(result.bytes_total)}`,
    },
    {
      label: "Skipped",
      value: formatCount(result.files_skipped),
      note: result.files_skipped > 0 ? `${formatBytes(result.bytes_skipped)}, left as they are` : "none",
    },
    ...(result.files_deleted > 0
      ? [{ label: result.dry_run ? "To delete" : "Deleted", value: formatCount(result.files_deleted) }]
      : []),
    { label: "Duration", value: <Duration value={result.duration_seconds * 1000} /> },
    { label: "Verified", value: result.verified ? "Yes" : "No" },
  ];
}

function Deleted({ result }: { result: Result }) {
  const more = result.files_deleted - result.deleted.length;
  return (
    <Panel title={result.dry_run ? "Would be deleted" : "Deleted"}>
      <ul className={styles.gone}>
        {result.deleted.map((path) => (
          <li key={path} className="mono">
            {path}
          </li>
        ))}
        {more > 0 && <li className="quiet">and {formatCount(more)} more; the log names every one</li>}
      </ul>
    </Panel>
  );
}
