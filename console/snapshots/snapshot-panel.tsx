import { IconRestore } from "@tabler/icons-react";
import type { Host, ListedSnapshot } from "@restic-manager/protocol/api/hosts";
import { countOf, formatCount } from "../format/numbers.ts";
import { absoluteTime } from "../format/times.ts";
import styles from "../host/host.module.css";
import { wizardHref } from "../restore/wizard-search.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CopyField } from "../ui/copy-field.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Facts, type Fact } from "../ui/facts.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { anomalyInWords } from "./anomaly-words.ts";
import { ComparePicker } from "./compare-picker.tsx";

interface SnapshotPanelProps {
  host: Host;
  snapshot: ListedSnapshot | undefined;
  snapshotId: string;
  all: readonly ListedSnapshot[];
  /** The list alone, filtered as it is. */
  closeHref: string;
}

/** One snapshot opened above the list. */
export function SnapshotPanel({ host, snapshot, snapshotId, all, closeHref }: SnapshotPanelProps) {
  const { operate } = useMay();
  return (
    <Panel
      title={
        <>
          Snapshot <span className="mono">{snapshotId.slice(0, 8)}</span>
        </>
      }
      actions={
        <>
          {operate && snapshot !== undefined && (
            <LinkButton
              href={wizardHref(host.id, snapshot.id)}
              size="xs"
              variant="default"
              leftSection={<IconRestore size={14} />}
            >
              Restore files
            </LinkButton>
          )}
          <AppLink className="link" href={closeHref}>
            Close
          </AppLink>
        </>
      }
    >
      {snapshot === undefined ? (
        <EmptyState
          kind="refused"
          title="This snapshot is not in the list"
          text="It was removed from the repository, or it got another ID when its tags were changed."
        />
      ) : (
        <div className={styles.pair}>
          <div className={styles.stack}>
            {snapshot.anomalies !== undefined && (
              <Notice state="warn" title="Not like the ones before it">
                {snapshot.anomalies.map((anomaly) => (
                  <p key={anomaly.what}>{anomalyInWords(anomaly)}.</p>
                ))}
              </Notice>
            )}
            <CopyField label="Snapshot ID" value={snapshot.id} />
            <div>
              <h3>Paths</h3>
              <ul className={styles.paths}>
                {snapshot.paths.map((path) => (
                  <li key={path} className="mono">
                    {path}
                  </li>
                ))}
                {snapshot.paths_total > snapshot.paths.length && (
                  <li className="quiet">and {snapshot.paths_total - snapshot.paths.length} more</li>
                )}
              </ul>
            </div>
            {operate && <ComparePicker key={snapshot.id} host={host} snapshot={snapshot} all={all} />}
          </div>
          <Facts items={factsOf(snapshot)} />
        </div>
      )}
    </Panel>
  );
}

function factsOf(snapshot: ListedSnapshot): Fact[] {
  const { summary } = snapshot;
  return [
    { label: "Taken", value: absoluteTime(Date.parse(snapshot.time)) },
    { label: "Host", value: snapshot.hostname, mono: true },
    ...(snapshot.username === undefined ? [] : [{ label: "User", value: snapshot.username, mono: true }]),
    { label: "Tags", value: snapshot.tags.join(", ") || "none" },
    ...(summary === undefined
      ? []
      : [
          {
            label: "Files",
            value: `${countOf(summary.total_files_processed, "file")}: ${formatCount(summary.files_new)} new, ${formatCount(summary.files_changed)} changed, ${formatCount(summary.files_unmodified)} as before`,
          },
          { label: "Size", value: <Bytes value={summary.total_bytes_processed} /> },
          {
            label: "Added",
            value: (
              <>
                <Bytes value={summary.data_added} />, <Bytes value={summary.data_added_packed} /> stored
              </>
            ),
          },
          { label: "Took", value: <Duration value={summary.duration_seconds * 1000} /> },
        ]),
    ...(snapshot.program_version === undefined
      ? []
      : [{ label: "Made by", value: snapshot.program_version }]),
  ];
}
