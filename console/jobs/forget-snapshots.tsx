import { countOf } from "../format/numbers.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Notice } from "../ui/notice.tsx";
import { Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import type { KindWords, SucceededJob } from "./kind-words.ts";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import { SnapshotIds } from "./snapshot-ids.tsx";

/** Removing chosen snapshots. */
export const forgetSnapshotsKind: KindWords<"forget_snapshots"> = {
  name: "Forget snapshots",
  noun: "removal",
  title: "Forgetting snapshots of",
  again: "Forget again",
  resultInWords: ({ removed }) => `${countOf(removed.length, "snapshot")} removed`,
  issuesOf: (result) => result.not_removed.length,
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Forgetting snapshots of ${job.host.name}`}
      doing="restic removes the chosen snapshots and nothing else."
      progress={job.progress}
    />
  ),
  Result: ForgetSnapshotsResult,
  left: "Some snapshots may be gone already; the host's list of snapshots tells.",
  Survived: () => "Only chosen snapshots can be gone; whether some are, the host's list of snapshots tells.",
};

function ForgetSnapshotsResult({ job }: { job: SucceededJob<"forget_snapshots"> }) {
  const { result, host, started_at, finished_at } = job;
  const { removed, not_found, not_removed } = result;
  return (
    <>
      {not_removed.length > 0 && (
        <Notice
          state="warn"
          title={`${countOf(not_removed.length, "snapshot is", "snapshots are")} still there`}
        >
          The repository did not let {not_removed.length === 1 ? "it" : "them"} go; the log says why.
        </Notice>
      )}
      <Vitals
        items={[
          {
            label: "Removed",
            value: String(removed.length),
            note: (
              <>
                the next{" "}
                <AppLink className="link" href={`/hosts/${host.id}?tab=repository`}>
                  prune
                </AppLink>{" "}
                frees their data
              </>
            ),
          },
          { label: "Still there", value: String(not_removed.length) },
          {
            label: "Not found",
            value: String(not_found.length),
            note: not_found.length === 0 ? "all were there" : "gone before",
          },
          { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
        ]}
      />
      <SnapshotIds title="Removed" ids={removed} />
      <SnapshotIds title="Still there" ids={not_removed} />
      <SnapshotIds title="Not found" note="They had gone before." ids={not_found} />
    </>
  );
}
