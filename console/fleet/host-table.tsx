import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo, useState } from "react";
import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import { asProblem } from "../api-problem.ts";
import { formatCount } from "../format/numbers.ts";
import { hostsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import type { Sort } from "../ui/data-table/column.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar } from "../ui/filter-bar.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { hostStatuses, hostWords } from "../ui/state-words.ts";
import { useSettled } from "../ui/use-settled.ts";
import { fleetHref, isFiltered, listOf, type FleetSearch } from "./fleet-search.ts";
import { hostColumns } from "./host-columns.tsx";
import styles from "./host-table.module.css";
import type { RunNow } from "./run-now.ts";

const BulkBar = lazy(async () => ({ default: (await import("./bulk-bar.tsx")).BulkBar }));

/**
 * How long typing must rest before the server is asked again; the first key asks at once. A page of hosts takes the server 5 ms,
 * and whoever types wants to see the rows within a tenth of a second.
 */
const TYPING_RESTS_MS = 40;

interface HostTableProps {
  search: FleetSearch;
  /** Typing replaces the page's address, choosing adds one to go back to. */
  onSearch: (search: FleetSearch, how: "typed" | "chosen") => void;
  summary: FleetSummary | undefined;
  run: RunNow | null;
}

/** The fleet's hosts: filtered, ordered and paged by the server. */
export function HostTable({ search, onSearch, summary, run }: HostTableProps) {
  const [typed, setTyped] = useState(search.search ?? "");
  // The address may change without typing: back, a tile, a link.
  const [known, setKnown] = useState(search.search);
  if (known !== search.search) {
    setKnown(search.search);
    if ((search.search ?? "") !== typed.trim()) setTyped(search.search ?? "");
  }
  const settled = useSettled(search, TYPING_RESTS_MS);
  const list = useMemo(() => listOf(settled), [settled]);
  const hosts = useInfiniteQuery({ ...hostsQuery(list), placeholderData: keepPreviousData });
  const columns = useMemo(() => hostColumns(run), [run]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const selection = useMemo(() => ({ ids: selected, onChange: setSelected }), [selected]);
  const pages = hosts.data?.pages;
  const rows = useMemo(() => once(pages ?? []), [pages]);
  const searched = list.search !== undefined;
  const counts = searched ? pages?.[0]?.counts : (summary?.counts ?? pages?.[0]?.counts);
  const all = counts === undefined ? undefined : Object.values(counts).reduce((sum, count) => sum + count, 0);
  const total = totalOf(rows.length, pages?.at(-1)) ?? 0;
  const filtered = isFiltered(search);
  const { sort: _, order: __, ...withoutSort } = search;

  function setSort({ by, order }: Sort) {
    const { sort, order: wanted } = listOf({
      sort: by as FleetSearch["sort"] & string,
      ...(order === "desc" ? { order } : {}),
    });
    onSearch(
      {
        ...withoutSort,
        ...(sort === "status" ? {} : { sort }),
        ...(wanted === "desc" ? { order: wanted } : {}),
      },
      "chosen",
    );
  }

  return (
    <Panel flush>
      <FilterBar
        searchLabel="Filter by name"
        search={typed}
        onSearch={(text) => {
          setTyped(text);
          const { search: __old, ...rest } = search;
          onSearch(text.trim() === "" ? rest : { ...rest, search: text.trim() }, "typed");
        }}
        choicesLabel="Status"
        chosen={search.backed_up ?? search.status ?? "all"}
        onChoose={(id) => {
          const { status: _status, backed_up: _backedUp, ...rest } = search;
          const status = hostStatuses.find((each) => each === id);
          onSearch(status === undefined ? rest : { ...rest, status }, "chosen");
        }}
        choices={[
          { id: "all", title: "All", ...(all === undefined ? {} : { count: all }) },
          ...(search.backed_up === undefined
            ? []
            : [{ id: "24h", title: "Backed up in 24 h", mark: hostWords.protected }]),
          ...hostStatuses
            .filter((status) => (counts?.[status] ?? 0) > 0 || status === search.status)
            .map((status) => ({
              id: status,
              title: hostWords[status].word,
              ...(counts === undefined ? {} : { count: counts[status] }),
              mark: hostWords[status],
            })),
        ]}
      />
      {filtered && pages !== undefined && (
        <div className={styles.found} role="status">
          <span>
            {formatCount(total)} of {formatCount(summary?.hosts ?? all ?? total)} hosts
          </span>
          <AppLink className="link" href={fleetHref(withoutFilter(search))}>
            Clear the filter
          </AppLink>
        </div>
      )}
      {hosts.isError && (
        <div className={styles.problem}>
          <Notice
            state="fail"
            title={asProblem(hosts.error).message}
            actions={
              <Button size="xs" variant="default" onClick={() => void hosts.refetch()}>
                Try again
              </Button>
            }
          >
            {asProblem(hosts.error).hint ?? "The hosts could not be asked for."}
          </Notice>
        </div>
      )}
      {pages === undefined ? (
        !hosts.isError && <p className={styles.waiting}>Asking for the hosts…</p>
      ) : (
        <DataTable<HostRow>
          label="Hosts"
          columns={columns}
          rows={rows}
          idOf={idOfHost}
          nameOf={(host) => host.name}
          hrefOf={(host) => `/hosts/${host.id}`}
          total={total}
          listId={JSON.stringify(list) + String(hosts.isPlaceholderData)}
          sort={{ by: list.sort, order: list.order }}
          onSort={setSort}
          {...(run === null ? {} : { selection })}
          {...(hosts.hasNextPage && !hosts.isFetchingNextPage
            ? { onMore: () => void hosts.fetchNextPage() }
            : {})}
          empty={
            <EmptyState
              kind="filtered"
              title="No host matches this filter."
              text={`${formatCount(summary?.hosts ?? 0)} ${summary?.hosts === 1 ? "is" : "are"} hidden by it.`}
              actions={
                <AppLink className="link" href={fleetHref(withoutFilter(search))}>
                  Clear the filter
                </AppLink>
              }
            />
          }
        />
      )}
      {run !== null && selected.size > 0 && (
        <Suspense>
          <BulkBar
            ids={selected}
            hosts={rows.filter((host) => selected.has(host.id))}
            run={run}
            onClear={() => setSelected(new Set())}
          />
        </Suspense>
      )}
    </Panel>
  );
}

/** One function for all renders: the table compares rows by it. */
const idOfHost = (host: HostRow) => host.id;

function withoutFilter({ sort, order }: FleetSearch): FleetSearch {
  return { ...(sort === undefined ? {} : { sort }), ...(order === undefined ? {} : { order }) };
}

/** Hosts that match; at least as many as are loaded, and just these once no page is left. */
function totalOf(loaded: number, last: { next_cursor: string | null; total: number } | undefined) {
  if (last === undefined) return undefined;
  return last.next_cursor === null ? loaded : Math.max(loaded, last.total);
}

/** Every host once: one that moved between two questions may be on two pages. */
function once(pages: readonly { items: readonly HostRow[] }[]): readonly HostRow[] {
  const seen = new Map<string, HostRow>();
  for (const { items } of pages) for (const host of items) if (!seen.has(host.id)) seen.set(host.id, host);
  return [...seen.values()];
}
