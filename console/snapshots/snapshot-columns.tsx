import { IconRestore } from "@tabler/icons-react";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { formatBytes } from "../format/bytes.ts";
import { formatCount } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { wizardHref } from "../restore/wizard-search.ts";
import type { Column } from "../ui/data-table/column.ts";
import { LinkButton } from "../ui/link-button.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import type { Anomaly } from "./anomalies.ts";
import { PathsInLine, TagsInLine } from "./snapshot-cells.tsx";
import styles from "./snapshots.module.css";

interface ColumnParts {
  hostId: string;
  anomalies: ReadonlyMap<string, Anomaly>;
  /** Who may restore. */
  operate: boolean;
}

/** The columns of a host's snapshots; what restic did not keep of an old one is a dash. */
export function snapshotColumns({ hostId, anomalies, operate }: ColumnParts): readonly Column<Snapshot>[] {
  return [
    {
      id: "id",
      title: "Snapshot",
      width: "84px",
      phone: "name",
      cell: ({ id }) => <span className="mono">{id.slice(0, 8)}</span>,
    },
    {
      id: "time",
      title: "Taken",
      width: "140px",
      sort: "time",
      cell: ({ time }) => shortDateTime(Date.parse(time)),
    },
    {
      id: "age",
      title: "Age",
      width: "80px",
      from: 1240,
      phone: "state",
      cell: ({ time }) => <TimeAgo at={Date.parse(time)} inRow />,
    },
    {
      id: "tags",
      title: "Tags",
      width: "minmax(80px, 0.8fr)",
      from: 1080,
      cell: (one) => <TagsInLine snapshot={one} />,
    },
    {
      id: "paths",
      title: "Paths",
      width: "minmax(120px, 2fr)",
      phone: "detail",
      cell: (one) => <PathsInLine snapshot={one} />,
    },
    {
      id: "size",
      title: "Size",
      width: "82px",
      align: "end",
      sort: "size",
      cell: ({ summary }) => (summary === undefined ? "–" : <Bytes value={summary.total_bytes_processed} />),
    },
    {
      id: "added",
      title: "Added",
      width: "104px",
      align: "end",
      sort: "added",
      cell: (one) => <Marked of="added" snapshot={one} anomaly={anomalies.get(one.id)} />,
    },
    {
      id: "changed",
      title: "New, changed",
      width: "128px",
      align: "end",
      sort: "changed",
      from: 1080,
      cell: (one) => <Marked of="changed" snapshot={one} anomaly={anomalies.get(one.id)} />,
    },
    {
      id: "duration",
      title: "Took",
      width: "104px",
      align: "end",
      sort: "duration",
      from: 1360,
      cell: ({ summary }) =>
        summary === undefined ? "–" : <Duration value={summary.duration_seconds * 1_000} />,
    },
    ...(operate
      ? [
          {
            id: "restore",
            title: "Restore",
            silent: true,
            width: "92px",
            phone: "action",
            control: true,
            cell: ({ id }) => (
              <LinkButton
                href={wizardHref(hostId, id)}
                size="compact-sm"
                variant="default"
                leftSection={<IconRestore size={14} />}
                aria-label={`Restore from snapshot ${id.slice(0, 8)}`}
              >
                Restore
              </LinkButton>
            ),
          } satisfies Column<Snapshot>,
        ]
      : []),
  ];
}

interface MarkedProps {
  of: Anomaly["what"];
  snapshot: Snapshot;
  anomaly: Anomaly | undefined;
}

function Marked({ of, snapshot: { summary }, anomaly }: MarkedProps) {
  if (summary === undefined) return <>–</>;
  const value =
    of === "added" ? (
      <Bytes value={summary.data_added_packed} />
    ) : (
      `${formatCount(summary.files_new)}, ${formatCount(summary.files_changed)}`
    );
  if (anomaly?.what !== of) return <>{value}</>;
  const usual =
    of === "added" ? formatBytes(anomaly.usual) : `${formatCount(Math.round(anomaly.usual))} files`;
  return (
    <span className={styles.odd} title={`Far more than usual: ${usual}`}>
      <StateIcon state="warn" icon="issues" size={14} />
      <span className="visually-hidden">far more than usual, {usual}: </span>
      {value}
    </span>
  );
}
