import { Vitals } from "../ui/vitals.tsx";
import { MaintenanceProgressPanel } from "./maintenance-progress.tsx";
import { Panel } from "../ui/panel.tsx";
import { lockWords } from "../repository/lock-words.ts";
import styles from "./job.module.css";
import type { LockState } from "@restic-manager/protocol/lock-state";
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
  noun: "unlock",
  left: "Locks that had been removed by then are gone.",
  Survived: () => "No snapshot is affected.",
};

function UnlockResult({ job: { result } }: { job: SucceededJob<"unlock"> }) {
  return (
    <>
      <Vitals
        items={[
          { label: "Removed", value: String(result.removed_count) },
          {
            label: "In use",
            value: String(result.remaining.length),
          },
        ]}
      />
      <Locks title="There were" locks={result.found} />
      <Locks title="Still there" locks={result.remaining} />
    </>
  );
}

function Locks({ title, locks }: { title: string; locks: readonly LockState[] }) {
  if (locks.length === 0) return null;
  return (
    <Panel title={title}>
      <ul className={styles.lines}>
        {locks.map((lock) => (
          <li key={lock.id}>{lockWords(lock)}</li>
        ))}
      </ul>
    </Panel>
  );
}
