import { Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import type { JobResult } from "@restic-manager/protocol/jobs";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import { Notice } from "../ui/notice.tsx";
import { ForgetTable } from "./forget-table.tsx";
import type { KindWords, SucceededJob } from "./kind-words.ts";

/** Forgetting the snapshots that no retention policy keeps. */
export const forgetKind: KindWords<"forget"> = {
  name: "Forget",
  title: "Forgetting snapshots of",
  again: "Forget again",
  resultInWords(result) {
    const { removed } = countsOf(result);
    return `${removed} ${removed === 1 ? "snapshot" : "snapshots"} ${result.dry_run ? "would go" : "removed"}`;
  },
  issuesOf: (result) => countsOf(result).stayed,
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Forgetting snapshots of ${job.host.name}`}
      doing="The agent goes through the source groups, one after the other."
      progress={job.progress}
    />
  ),
  Result: ForgetResult,
  noun: "forget",
  left: "Snapshots that had been removed by then stay removed; all others are there.",
  Survived: () => "What had been forgotten before it failed is in the log. Every other snapshot is there.",
};

function countsOf({ groups }: JobResult<"forget">) {
  const done = groups.filter((group) => group.outcome === "done");
  const sum = (of: (group: (typeof done)[number]) => number) =>
    done.reduce((all, group) => all + of(group), 0);
  return {
    removed: sum((group) => group.removed_count),
    kept: sum((group) => group.kept_count),
    stayed: sum((group) => group.not_removed_count),
    skipped: groups.length - done.length,
  };
}

function ForgetResult({ job: { result, started_at, finished_at } }: { job: SucceededJob<"forget"> }) {
  const { removed, kept, skipped } = countsOf(result);
  return (
    <>
      {result.dry_run && (
        <Notice state="idle" icon="new" title="A preview: nothing was removed">
          This is what the policies would do with the snapshots as they are now.
        </Notice>
      )}
      <Vitals
        items={[
          {
            label: result.dry_run ? "Would go" : "Removed",
            value: String(removed),
            note: skipped === 0 ? "in all source groups" : `${skipped} groups without a policy left out`,
          },
          { label: "Kept", value: String(kept) },
          { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
        ]}
      />
      {result.groups.map((group) => (
        <ForgetTable key={group.source_group_id} group={group} preview={result.dry_run} />
      ))}
    </>
  );
}
