import { Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { CheckFindings } from "./check-findings.tsx";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import type { KindWords, SucceededJob } from "./kind-words.ts";

/** Checking a repository. */
export const checkKind: KindWords<"check"> = {
  name: "Check",
  title: "Checking the repository of",
  again: "Check again",
  resultInWords: (found) =>
    found.result === "ok" ? "No errors found" : `Damage found: ${found.error_count} errors`,
  issuesOf: (found) => (found.result === "ok" ? 0 : found.error_count),
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Checking the repository of ${job.host.name}`}
      doing="restic reads what the repository says of itself, and as much of its data as was asked for."
      progress={job.progress}
    />
  ),
  Result: CheckResult,
  noun: "check",
  left: "Nothing was changed.",
  Survived: () => "It could not look, which says nothing of the data. Nothing was changed.",
};

function CheckResult({ job: { result, started_at, finished_at } }: { job: SucceededJob<"check"> }) {
  return (
    <>
      <Vitals
        items={[
          { label: "Result", value: result.result === "ok" ? "No errors" : `${result.error_count} errors` },
          { label: "Data read", value: `${result.read_data_percent} %` },
          { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
        ]}
      />
      {result.result === "errors_found" && <CheckFindings found={result} />}
    </>
  );
}
