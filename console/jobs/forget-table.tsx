import type { ForgetEntry, ForgottenGroup } from "@restic-manager/protocol/jobs/forget";
import { countOf } from "../format/numbers.ts";
import { absoluteTime } from "../format/times.ts";
import { Panel } from "../ui/panel.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./job.module.css";

interface ForgetTableProps {
  group: ForgottenGroup;
  /** Nothing was removed: this is what would be. */
  preview: boolean;
}

/** What a policy makes of one group's snapshots: what goes, and what stays with restic's reasons. */
export function ForgetTable({ group, preview }: ForgetTableProps) {
  const title = <span className="mono">{group.source_group_name}</span>;
  if (group.outcome === "skipped") {
    return (
      <Panel title={title} note="Left out: its policy keeps nothing, which would delete every snapshot." />
    );
  }
  const { removed, kept, removed_count: gone, kept_count: stay, not_removed_count: stuck } = group;
  const goes = preview ? "would go" : "removed";
  return (
    <Panel
      flush
      title={title}
      note={`${countOf(gone, "snapshot")} ${goes}, ${stay} ${preview ? "would stay" : "kept"}${stuck > 0 ? `, ${stuck} should have gone and did not` : ""}.`}
    >
      {removed.length > 0 && (
        <Entries
          caption={preview ? "Would go" : "Removed"}
          entries={removed}
          count={gone}
          open={removed.length <= SHORT || preview}
        />
      )}
      {kept.length > 0 && (
        <Entries
          caption={preview ? "Would stay" : "Kept"}
          entries={kept}
          count={stay}
          open={removed.length + kept.length <= SHORT || preview}
        />
      )}
    </Panel>
  );
}

/** As many rows do not need folding. */
const SHORT = 30;

function Entries(props: { caption: string; entries: readonly ForgetEntry[]; count: number; open: boolean }) {
  const { caption, entries, count, open } = props;
  const reasons = entries.some((entry) => (entry.reasons ?? []).length > 0);
  return (
    <details className={styles.fold} open={open}>
      <summary>
        {caption}: {countOf(count, "snapshot")}
      </summary>
      <table className={styles.snapshots}>
        <thead>
          <tr>
            <th scope="col">Snapshot</th>
            <th scope="col">Taken</th>
            {reasons && <th scope="col">Because it is the</th>}
          </tr>
        </thead>
        <tbody>
          {entries.map((entry) => (
            <tr key={entry.id}>
              <th scope="row" className="mono">
                {entry.id.slice(0, 8)}
              </th>
              <td>
                {absoluteTime(Date.parse(entry.time))}{" "}
                <span className="quiet">
                  <TimeAgo at={Date.parse(entry.time)} inRow />
                </span>
              </td>
              {reasons && <td>{(entry.reasons ?? []).join(", ")}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {count > entries.length && (
        <p className={styles.rest}>
          {countOf(count - entries.length, "more is", "more are")} not listed here.
        </p>
      )}
    </details>
  );
}
