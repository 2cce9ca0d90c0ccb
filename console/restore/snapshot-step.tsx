import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { NoSnapshots } from "../host/host-overview.tsx";
import { absoluteTime } from "../format/times.ts";
import { formatCount } from "../format/numbers.ts";
import { allSnapshotsQuery } from "../queries.ts";
import { PathsInLine, TagsInLine } from "../snapshots/snapshot-cells.tsx";
import type { Column } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { wizardHref } from "./wizard-search.ts";

const COLUMNS: readonly Column<Snapshot>[] = [
  {
    id: "time",
    title: "Taken",
    width: "minmax(210px, 1fr)",
    phone: "name",
    cell: ({ time }) => absoluteTime(Date.parse(time)),
  },
  {
    id: "age",
    title: "Age",
    width: "100px",
    phone: "state",
    cell: ({ time }) => <TimeAgo at={Date.parse(time)} inRow />,
  },
  { id: "tags", title: "Tags", width: "minmax(90px, 0.7fr)", cell: (one) => <TagsInLine snapshot={one} /> },
  {
    id: "paths",
    title: "Paths",
    width: "minmax(140px, 2fr)",
    phone: "detail",
    cell: (one) => <PathsInLine snapshot={one} />,
  },
  {
    id: "files",
    title: "Files",
    width: "90px",
    align: "end",
    from: 1080,
    cell: ({ summary }) => (summary === undefined ? "–" : formatCount(summary.total_files_processed)),
  },
  {
    id: "size",
    title: "Size",
    width: "88px",
    align: "end",
    cell: ({ summary }) => (summary === undefined ? "–" : <Bytes value={summary.total_bytes_processed} />),
  },
  {
    id: "id",
    title: "Snapshot",
    width: "88px",
    from: 1080,
    cell: ({ id }) => <span className="mono">{id.slice(0, 8)}</span>,
  },
];

/** From which snapshot: the newest first, each a link to its files. */
export function SnapshotStep({ host }: { host: Host }) {
  const { data, error } = useQuery(allSnapshotsQuery(host.id));
  const rows = data?.items ?? [];
  return (
    <Panel flush title="From which snapshot?" note="Newest first. Choosing one opens its files.">
      <DataTable
        label={`Snapshots of ${host.name} to restore from`}
        columns={COLUMNS}
        rows={rows}
        idOf={(snapshot) => snapshot.id}
        nameOf={(snapshot) => `snapshot ${snapshot.id.slice(0, 8)}`}
        hrefOf={(snapshot) => wizardHref(host.id, snapshot.id)}
        total={rows.length}
        listId={host.id}
        empty={<NoSnapshots host={host} loading={data === undefined} error={error} />}
      />
    </Panel>
  );
}
