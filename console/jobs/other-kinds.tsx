import { countOf } from "../format/numbers.ts";
import { Panel } from "../ui/panel.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import type { KindWords } from "./kind-words.ts";

/** What differs between two snapshots. */
export const diffKind: KindWords<"diff"> = {
  name: "Compare",
  noun: "comparison",
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
  left: "Nothing was changed in the repository.",
  Survived: () => "Nothing was changed in the repository.",
};

/** Changing the tags of snapshots. */
export const tagKind: KindWords<"tag"> = {
  name: "Tag snapshots",
  noun: "tagging",
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
  left: "Some snapshots may have their new tags already; the list tells.",
  Survived: () => "Some snapshots may have their new tags already; the list tells.",
};

/** Removing chosen snapshots. */
export const forgetSnapshotsKind: KindWords<"forget_snapshots"> = {
  name: "Forget snapshots",
  noun: "removal",
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
  left: "Some snapshots may be gone already; the list tells.",
  Survived: () => "Some snapshots may be gone already; the list tells.",
};
