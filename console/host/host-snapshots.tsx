import { useInfiniteQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { absoluteTime } from "../format/times.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { snapshotsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CopyField } from "../ui/copy-field.tsx";
import type { Column } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Facts, type Fact } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";
import { NoSnapshots } from "./host-overview.tsx";

const COLUMNS: readonly Column<Snapshot>[] = [
  {
    id: "id",
    title: "Snapshot",
    width: "92px",
    phone: "name",
    cell: (snapshot) => <span className="mono">{snapshot.id.slice(0, 8)}</span>,
  },
  {
    id: "time",
    title: "Taken",
    width: "minmax(200px, 1fr)",
    from: 1080,
    cell: (snapshot) => absoluteTime(Date.parse(snapshot.time)),
  },
  {
    id: "age",
    title: "Age",
    width: "96px",
    phone: "state",
    cell: (snapshot) => <TimeAgo at={Date.parse(snapshot.time)} inRow />,
  },
  {
    id: "tags",
    title: "Tags",
    width: "minmax(90px, 0.7fr)",
    cell: (snapshot) => snapshot.tags.join(", ") || <span className="quiet">none</span>,
  },
  {
    id: "paths",
    title: "Paths",
    width: "minmax(140px, 2fr)",
    phone: "detail",
    cell: (snapshot) => <PathsInLine snapshot={snapshot} />,
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
    id: "added",
    title: "Added",
    width: "88px",
    align: "end",
    from: 1240,
    cell: ({ summary }) => (summary === undefined ? "–" : <Bytes value={summary.data_added_packed} />),
  },
];

function PathsInLine({ snapshot }: { snapshot: Snapshot }) {
  const [first, ...rest] = snapshot.paths;
  const more = snapshot.paths_total - 1;
  return (
    <>
      <span className="mono">{more <= 2 ? [first, ...rest].join(", ") : first}</span>
      {more > 2 && <span className="quiet"> and {more} more</span>}
    </>
  );
}

/** Every snapshot of this machine, as its agent last listed them; one of them opened above the list. */
export function HostSnapshots({ host, snapshotId }: { host: Host; snapshotId: string | undefined }) {
  const { data, error, fetchNextPage } = useInfiniteQuery(snapshotsQuery(host.id));
  const rows = data?.pages.flatMap((page) => page.items) ?? [];
  const first = data?.pages[0];
  const open = snapshotId === undefined ? undefined : rows.find((row) => row.id.startsWith(snapshotId));
  return (
    <>
      {snapshotId !== undefined && data !== undefined && (
        <SnapshotPanel host={host} snapshot={open} snapshotId={snapshotId} />
      )}
      <Panel
        flush
        title="Snapshots"
        note={
          first?.taken_at ? (
            <>
              Newest first, as the agent listed them <TimeAgo at={Date.parse(first.taken_at)} />.
            </>
          ) : (
            "Newest first."
          )
        }
      >
        <DataTable
          label={`Snapshots of ${host.name}`}
          columns={COLUMNS}
          rows={rows}
          idOf={(snapshot) => snapshot.id}
          nameOf={(snapshot) => `snapshot ${snapshot.id.slice(0, 8)}`}
          hrefOf={(snapshot) => `/hosts/${host.id}?tab=snapshots&snapshot=${snapshot.id.slice(0, 8)}`}
          total={first?.total ?? 0}
          listId={host.id}
          onMore={() => void fetchNextPage()}
          empty={<NoSnapshots host={host} loading={data === undefined} error={error} />}
        />
      </Panel>
    </>
  );
}

interface SnapshotPanelProps {
  host: Host;
  snapshot: Snapshot | undefined;
  snapshotId: string;
}

function SnapshotPanel({ host, snapshot, snapshotId }: SnapshotPanelProps) {
  return (
    <Panel
      title={
        <>
          Snapshot <span className="mono">{snapshotId.slice(0, 8)}</span>
        </>
      }
      actions={
        <AppLink className="link" href={`/hosts/${host.id}?tab=snapshots`}>
          Close
        </AppLink>
      }
    >
      {snapshot === undefined ? (
        <EmptyState
          kind="refused"
          title="This snapshot is not in the list"
          text="It was removed from the repository, or stands further down."
        />
      ) : (
        <div className={styles.pair}>
          <div className={styles.stack}>
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
          </div>
          <Facts items={factsOf(snapshot)} />
        </div>
      )}
    </Panel>
  );
}

function factsOf(snapshot: Snapshot): Fact[] {
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
