import { Vitals } from "../ui/vitals.tsx";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import type { KindWords, SucceededJob } from "./kind-words.ts";

/** Removing locks that are left over. */
export const unlockKind: KindWords<"unlock"> = {
  name: "Unlock",
  title: "Unlocking the repository of",
  again: "Unlock again",
  resultInWords: ({ removed_count, remaining }) =>
    `${removed_count} ${removed_count === 1 ? "lock" : "locks"} removed${remaining.length === 0 ? "" : `, ${remaining.length} in use`}`,
  issuesOf: () => 0,
  Progress: ({ job }) => (
    <MaintenanceProgressPanel
      label={`Unlocking the repository of ${job.host.name}`}
      doing="The agent looks whose locks there are, and removes those that are left over."
      progress={null}
    />
  ),
  Result: UnlockResult,
  Survived: () => "No snapshot is affected.",
};

function UnlockResult({ job: { result } }: { job: SucceededJob<"unlock"> }) {
  return (
    <Vitals
      items={[
        { label: "Removed", value: String(result.removed_count) },
        {
          label: "In use",
          value: String(result.remaining.length),
          note: result.remaining.map((lock) => `${lock.hostname}, process ${lock.pid}`).join(" · "),
        },
      ]}
    />
  );
}
