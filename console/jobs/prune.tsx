import { Bytes, Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { formatBytes } from "../format/bytes.ts";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import type { KindWords, SucceededJob } from "./kind-words.ts";

/** Freeing what no snapshot needs any more. */
export const pruneKind: KindWords<"prune"> = {
  name: "Prune",
  title: "Pruning the repository of",
  again: "Prune again",
  resultInWords: ({ freed_bytes }) =>
    freed_bytes === undefined ? "Pruned" : `${formatBytes(freed_bytes)} freed`,
  issuesOf: () => 0,
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Pruning the repository of ${job.host.name}`}
      doing="restic frees what no snapshot needs. Nothing else can work on the repository meanwhile."
      progress={job.progress}
    />
  ),
  Result: PruneResult,
  noun: "prune",
  left: "Nothing that a snapshot needs was touched. What was not freed is freed by the next one.",
  Survived: () => "No snapshot is affected. What was not freed is freed by the next prune.",
};

function PruneResult({ job: { result, started_at, finished_at } }: { job: SucceededJob<"prune"> }) {
  const { freed_bytes, remaining_bytes } = result;
  return (
    <Vitals
      items={[
        { label: "Freed", value: freed_bytes === undefined ? "not said" : <Bytes value={freed_bytes} /> },
        {
          label: "Left",
          value: remaining_bytes === undefined ? "not said" : <Bytes value={remaining_bytes} />,
        },
        { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
      ]}
    />
  );
}
