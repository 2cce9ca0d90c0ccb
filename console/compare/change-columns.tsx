import type { DiffChange } from "@restic-manager/protocol/jobs/diff";
import { formatBytes } from "../format/bytes.ts";
import type { Column } from "../ui/data-table/column.ts";
import { StateIcon } from "../ui/state-icon.tsx";
import { changeWords, growth } from "./change-words.ts";
import styles from "./compare.module.css";

/** A change with its place in the whole list: two may have the same name where bytes are no UTF-8. */
export type ChangeRow = DiffChange & { n: number };

export const changeColumns: readonly Column<ChangeRow>[] = [
  {
    id: "kind",
    title: "Change",
    width: "128px",
    phone: "state",
    cell: (change) => <ChangeKind change={change} />,
  },
  {
    id: "path",
    title: "Path",
    width: "minmax(200px, 1fr)",
    phone: "name",
    cell: ({ path, is_folder }) => (
      <span className={styles.path} title={path}>
        <bdi>{is_folder ? `${path}/` : path}</bdi>
      </span>
    ),
  },
  {
    id: "before",
    title: "Before",
    width: "88px",
    align: "end",
    cell: ({ size_before }) => (size_before === undefined ? "" : formatBytes(size_before)),
  },
  {
    id: "after",
    title: "After",
    width: "88px",
    align: "end",
    cell: ({ size_after }) => (size_after === undefined ? "" : formatBytes(size_after)),
  },
  {
    id: "growth",
    title: "Difference",
    width: "104px",
    align: "end",
    phone: "detail",
    cell: (change) => <Grown change={change} />,
  },
];

function ChangeKind({ change: { kind, suspicious } }: { change: ChangeRow }) {
  const { word, sign } = changeWords[kind];
  if (suspicious === true)
    return (
      <span
        className={styles.suspicious}
        title="Other content at the same size and time: a failing disk does that"
      >
        <StateIcon state="warn" icon="issues" size={14} />
        Suspicious
      </span>
    );
  return (
    <>
      <span className={styles.sign} aria-hidden="true">
        {sign}
      </span>
      {word}
    </>
  );
}

function Grown({ change: { kind, is_folder, size_before, size_after } }: { change: ChangeRow }) {
  if (is_folder) return <span className="quiet">folder</span>;
  if (size_before === undefined && size_after === undefined) return <>–</>;
  if (kind === "metadata")
    return <span className="quiet">{formatBytes(size_after ?? size_before ?? 0)}</span>;
  return <>{growth((size_after ?? 0) - (size_before ?? 0))}</>;
}
