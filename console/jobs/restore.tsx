import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";
import { resultOf, type JobOf, type KindWords } from "./kind-words.ts";
import { RestoreProgress } from "./restore-progress.tsx";
import { RestoreReport } from "./restore-result.tsx";

/** Bringing files of a snapshot back. */
export const restoreKind: KindWords<"restore"> = {
  name: "Restore",
  noun: "restore",
  title: "Restore on",
  again: "Restore again",
  resultInWords({ dry_run, files_restored, bytes_restored, issue_count }) {
    const left = issue_count > 0 ? `, ${countOf(issue_count, "item")} not` : "";
    return `${countOf(files_restored, "file")}, ${formatBytes(bytes_restored)}${dry_run ? " to restore" : ""}${left}`;
  },
  issuesOf: (result) => result.issue_count,
  Progress: RestoreProgress,
  Result: ({ job }) => <RestoreReport job={job} result={job.result} />,
  Survived,
  left: "What was written before that stays where it is.",
  Cancelled: ({ job }) => {
    const left = resultOf(job, "restore");
    return <>{left === undefined ? restoreKind.left : leftInWords(left)}</>;
  },
  Left: ({ job }) => {
    const left = resultOf(job, "restore");
    return left === undefined ? null : <RestoreReport job={job} result={left} />;
  },
};

function Survived({ job }: { job: Extract<JobOf<"restore">, { state: "failed" }> }) {
  const left = resultOf(job, "restore");
  return left === undefined ? "What was restored before that stays where it is." : leftInWords(left);
}

function leftInWords(left: Parameters<typeof restoreKind.resultInWords>[0]): string {
  if (left.dry_run) return "It was a preview: nothing was written.";
  if (left.bytes_restored === 0 && left.files_restored === 0) return "Nothing had been written yet.";
  const where = left.in_place ? "in place" : `in ${left.where}`;
  if (left.files_restored === 0)
    return `No file was whole yet. Parts of some (${formatBytes(left.bytes_restored)}) had been written and stay ${where}.`;
  return `${countOf(left.files_restored, "file or folder", "files and folders")} of ${left.files_total} (${formatBytes(left.bytes_restored)}) had been written and stay ${where}. The last one may be incomplete.`;
}
