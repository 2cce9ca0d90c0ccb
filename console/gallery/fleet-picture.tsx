import { ActionIcon, Button } from "@mantine/core";
import { IconPlayerPlay, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { HOST_STATUSES } from "@restic-manager/protocol/api/hosts";
import type { Column, Sort } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar } from "../ui/filter-bar.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { hostWords } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { madeUpHosts, type MadeUpHost } from "./made-up.ts";

const COLUMNS: readonly Column<MadeUpHost>[] = [
  {
    id: "status",
    title: "Status",
    width: "150px",
    sort: "status",
    phone: "state",
    cell: (host) => <StatusMark {...hostWords[host.status]} />,
  },
  {
    id: "name",
    title: "Host",
    width: "minmax(140px, 1.2fr)",
    sort: "name",
    phone: "name",
    cell: (host) => (
      <span className="mono" style={{ fontWeight: 600 }}>
        {host.name}
      </span>
    ),
  },
  { id: "os", title: "OS", width: "minmax(120px, 1fr)", sort: "os", from: 1240, cell: (host) => host.os },
  {
    id: "last",
    title: "Last backup",
    width: "minmax(240px, 2fr)",
    sort: "last_backup",
    phone: "detail",
    cell: (host) => (
      <>
        {host.cause ?? <TimeAgo at={host.at} inRow />}{" "}
        <span className="quiet">
          {host.cause === null ? <Duration value={host.duration} /> : <TimeAgo at={host.at} inRow />}
        </span>
      </>
    ),
  },
  {
    id: "trend",
    title: "Trend",
    silent: true,
    width: "70px",
    from: 1360,
    cell: () => <Sparkline values={[3, 4, 4, 5, 5, 6, 8, 8, 9]} />,
  },
  {
    id: "protected",
    title: "Protected",
    width: "100px",
    align: "end",
    sort: "protected",
    cell: (host) => <Bytes value={host.bytes} />,
  },
  {
    id: "snapshots",
    title: "Snapshots",
    width: "90px",
    align: "end",
    from: 1080,
    cell: (host) => host.snapshots,
  },
  {
    id: "run",
    title: "Run",
    silent: true,
    width: "34px",
    control: true,
    phone: "action",
    cell: (host) => (
      <ActionIcon variant="subtle" size={30} aria-label={`Back up ${host.name} now`}>
        <IconPlayerPlay size={15} />
      </ActionIcon>
    ),
  },
];

export function FleetPicture({ hosts: count }: { hosts: number }) {
  const [hosts] = useState(() => madeUpHosts(count));
  const [search, setSearch] = useState("");
  const [chosen, setChosen] = useState("all");
  const [sort, setSort] = useState<Sort>({ by: "status", order: "asc" });
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set(["host-1"]));
  const shown = hosts.filter(
    (host) => host.name.includes(search) && (chosen === "all" || host.status === chosen),
  );
  return (
    <Page>
      <PageHeader
        title="Fleet"
        note={`${count} hosts`}
        actions={<Button leftSection={<IconPlus size={16} />}>Add host</Button>}
      />
      <Panel flush>
        <FilterBar
          searchLabel="Filter by name"
          search={search}
          onSearch={setSearch}
          choicesLabel="Status"
          chosen={chosen}
          onChoose={setChosen}
          choices={[
            { id: "all", title: "All", count },
            ...HOST_STATUSES.map((status) => ({
              id: status,
              title: hostWords[status].word,
              count: hosts.filter((host) => host.status === status).length,
              mark: hostWords[status],
            })),
          ]}
        />
        <DataTable
          label="Hosts"
          columns={COLUMNS}
          rows={shown}
          idOf={(host) => host.id}
          nameOf={(host) => host.name}
          hrefOf={(host) => `/hosts/${host.id}`}
          total={shown.length}
          listId={`${search}:${chosen}`}
          sort={sort}
          onSort={setSort}
          selection={{ ids, onChange: setIds }}
          empty={
            <EmptyState
              kind="filtered"
              title="No host matches this filter."
              text={`${count} are hidden by it.`}
            />
          }
        />
      </Panel>
    </Page>
  );
}
