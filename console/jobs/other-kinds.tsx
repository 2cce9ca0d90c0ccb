import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";
import { Panel } from "../ui/panel.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import type { KindWords } from "./kind-words.ts";

/** Bringing files of a snapshot back. */
export const restoreKind: KindWords<"restore"> = {
  name: "Restore",
  title: "Restore on",
  again: "Restore again",
  resultInWords({ dry_run, files_restored, bytes_restored, issue_count }) {
    const left = issue_count > 0 ? `, ${countOf(issue_count, "item")} not` : "";
    return `${countOf(files_restored, "file")}, ${formatBytes(bytes_restored)}${dry_run ? " to restore" : ""}${left}`;
  },
  issuesOf: (result) => result.issue_count,
  Progress: ({ job }) => (
    <Panel>
      <ProgressLine fraction={job.progress?.fraction ?? null} label={`Restoring on ${job.host.name}`} tall />
      <p className="quiet">{job.progress?.current_file ?? ""}</p>
    </Panel>
  ),
  Result: ({ job }) => <p>{`The files are in ${job.result.where}.`}</p>,
  Survived: () => "What was restored before that stays where it is.",
};

/** What differs between two snapshots. */
export const diffKind: KindWords<"diff"> = {
  name: "Compare",
  title: "Comparing snapshots of",
  again: "Compare again",
  resultInWords: ({ counts }) =>
    `${counts.added} added, ${counts.removed} removed, ${counts.modified + counts.type_changed} changed`,
  issuesOf: () => 0,
  Progress: ({ job }) => (
    <Panel>
      <ProgressLine fraction={null} label={`Comparing snapshots of ${job.host.name}`} tall />
    </Panel>
  ),
  Result: ({ job }) => <p>{diffKind.resultInWords(job.result)}</p>,
  Survived: () => "Nothing was changed in the repository.",
};

/** Changing the tags of snapshots. */
export const tagKind: KindWords<"tag"> = {
  name: "Tag snapshots",
  title: "Tagging snapshots of",
  again: "Tag again",
  resultInWords: ({ changed }) => `${countOf(changed.length, "snapshot")} changed`,
  issuesOf: (result) => result.not_found.length,
  Progress: ({ job }) => (
    <Panel>
      <ProgressLine fraction={null} label={`Tagging snapshots of ${job.host.name}`} tall />
    </Panel>
  ),
  Result: ({ job }) => <p>{tagKind.resultInWords(job.result)}</p>,
  Survived: () => "Some snapshots may have their new tags already; the list tells.",
};

/** Removing chosen snapshots. */
export const forgetSnapshotsKind: KindWords<"forget_snapshots"> = {
  name: "Forget snapshots",
  title: "Forgetting snapshots of",
  again: "Forget again",
  resultInWords: ({ removed }) => `${countOf(removed.length, "snapshot")} removed`,
  issuesOf: (result) => result.not_removed.length,
  Progress: ({ job }) => (
    <Panel>
      <ProgressLine fraction={null} label={`Forgetting snapshots of ${job.host.name}`} tall />
    </Panel>
  ),
  Result: ({ job }) => <p>{forgetSnapshotsKind.resultInWords(job.result)}</p>,
  Survived: () => "Some snapshots may be gone already; the list tells.",
};
