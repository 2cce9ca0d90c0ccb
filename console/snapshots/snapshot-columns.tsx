import { IconRestore } from "@tabler/icons-react";
import type { ListedSnapshot, SnapshotAnomaly } from "@restic-manager/protocol/api/hosts";
import { formatCount } from "../format/numbers.ts";
import { shortDateTime } from "../format/times.ts";
import { wizardHref } from "../restore/wizard-search.ts";
import type { Column } from "../ui/data-table/column.ts";
import { LinkButton } from "../ui/link-button.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { anomalyInWords } from "./anomaly-words.ts";
import { PathsInLine, TagsInLine } from "./snapshot-cells.tsx";
import styles from "./snapshots.module.css";

interface ColumnParts {
  hostId: string;
  /** Who may restore. */
  operate: boolean;
}

/** The columns of a host's snapshots; what restic did not keep of an old one is a dash. */
export function snapshotColumns({ hostId, operate }: ColumnParts): readonly Column<ListedSnapshot>[] {
  return [
    {
      id: "id",
      title: "Snapshot",
      width: "76px",
      phone: "name",
      cell: ({ id }) => <span className="mono">{id.slice(0, 8)}</span>,
    },
    {
      id: "time",
      title: "Taken",
      width: "132px",
      sort: "time",
      cell: ({ time }) => shortDateTime(Date.parse(time)),
    },
    {
      id: "age",
      title: "Age",
      width: "72px",
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
      id: "files",
      title: "Files",
      width: "72px",
      align: "end",
      sort: "files",
      from: 1360,
      cell: ({ summary }) => (summary === undefined ? "–" : formatCount(summary.total_files_processed)),
    },
    {
      id: "size",
      title: "Size",
      width: "78px",
      align: "end",
      sort: "size",
      cell: ({ summary }) => (summary === undefined ? "–" : <Bytes value={summary.total_bytes_processed} />),
    },
    {
      id: "added",
      title: "Added",
      width: "86px",
      align: "end",
      sort: "added",
      cell: (one) => <Marked of="added" snapshot={one} />,
    },
    {
      id: "changed",
      title: "New, changed",
      width: "112px",
      align: "end",
      sort: "changed",
      from: 1080,
      cell: (one) => <Marked of="changed" snapshot={one} />,
    },
    {
      id: "duration",
      title: "Took",
      width: "92px",
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
          } satisfies Column<ListedSnapshot>,
        ]
      : []),
  ];
}

interface MarkedProps {
  of: SnapshotAnomaly["what"];
  snapshot: ListedSnapshot;
}

function Marked({ of, snapshot: { summary, anomalies } }: MarkedProps) {
  if (summary === undefined) return <>–</>;
  const value =
    of === "added" ? (
      <Bytes value={summary.data_added_packed} />
    ) : (
      `${formatCount(summary.files_new)}, ${formatCount(summary.files_changed)}`
    );
  const anomaly = anomalies?.find(({ what }) => what === of);
  if (anomaly === undefined) return <>{value}</>;
  return (
    <span className={styles.odd}>
      <StateIcon state="warn" icon="issues" size={14} />
      <span className="visually-hidden">{anomalyInWords(anomaly)}: </span>
      {value}
    </span>
  );
}
