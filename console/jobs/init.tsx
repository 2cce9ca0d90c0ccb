import { ProgressLine } from "../ui/progress-line.tsx";
import { Panel } from "../ui/panel.tsx";
import { Duration } from "../ui/quantity.tsx";
import { Vitals } from "../ui/vitals.tsx";
import type { KindWords, RunningJob, SucceededJob } from "./kind-words.ts";

/** Opening a repository, and creating it if there is none. */
export const initKind: KindWords<"init"> = {
  name: "Open repository",
  noun: "opening of the repository",
  title: "Opening the repository of",
  again: "Open again",
  resultInWords: ({ created }) => (created ? "Repository created" : "Repository opened"),
  issuesOf: () => 0,
  Progress: InitProgress,
  Result: InitResult,
  left: "Nothing was changed in the repository.",
  Survived: () => "Nothing was changed in the repository.",
};

function InitProgress({ job }: { job: RunningJob<"init"> }) {
  return (
    <Panel>
      <ProgressLine fraction={null} label={`Opening the repository of ${job.host.name}`} tall />
      <p className="quiet">The agent opens the repository, and creates it if there is none.</p>
    </Panel>
  );
}

function InitResult({ job: { result, started_at, finished_at } }: { job: SucceededJob<"init"> }) {
  return (
    <Vitals
      items={[
        {
          label: "Repository",
          value: <span className="mono">{result.repository_id.slice(0, 8)}</span>,
          note: result.created ? "created by this job" : "was there, and the password opens it",
        },
        { label: "Duration", value: <Duration value={Date.parse(finished_at) - Date.parse(started_at)} /> },
      ]}
    />
  );
}
