import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { formatCount } from "../format/numbers.ts";
import { NoSnapshots } from "../host/host-overview.tsx";
import { allSnapshotsQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar } from "../ui/filter-bar.tsx";
import { useInPlace } from "../ui/in-place.ts";
import { Panel } from "../ui/panel.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useTyped } from "../ui/use-typed.ts";
import { Calendar } from "./calendar.tsx";
import { ChosenBar } from "./chosen-bar.tsx";
import { Growth } from "./growth.tsx";
import { snapshotColumns } from "./snapshot-columns.tsx";
import { filtered, SNAPSHOT_SORTS, sorted, type SnapshotFilter, type SnapshotSort } from "./snapshot-list.ts";
import { SnapshotPanel } from "./snapshot-panel.tsx";
import styles from "./snapshots.module.css";

/** What the address says of the tab. */
export interface SnapshotsSearch extends Omit<SnapshotFilter, "odd"> {
  snapshot?: string;
  odd?: string;
  sort?: string;
  order?: string;
}

/** Every snapshot of this machine, as its agent last listed them: when, how much, and which are not like the others. */
export function HostSnapshots({ host, search }: { host: Host; search: SnapshotsSearch }) {
  const goInPlace = useInPlace();
  const { operate } = useMay();
  const { data, error } = useQuery(allSnapshotsQuery(host.id));
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => data?.items ?? [], [data]);
  const unusual = all.filter(({ anomalies }) => anomalies !== undefined).length;
  const sort: SnapshotSort = SNAPSHOT_SORTS.find((one) => one === search.sort) ?? "time";
  const order = search.order === "asc" ? "asc" : "desc";
  const { q, tag, day } = search;
  const odd = search.odd !== undefined;
  const [typed, setTyped] = useTyped(q ?? "");
  const rows = useMemo(
    () =>
      sorted(
        filtered(all, {
          ...(q === undefined ? {} : { q }),
          ...(tag === undefined ? {} : { tag }),
          ...(day === undefined ? {} : { day }),
          odd,
        }),
        sort,
        order,
      ),
    [all, q, tag, day, odd, sort, order],
  );
  const columns = useMemo(() => snapshotColumns({ hostId: host.id, operate }), [host.id, operate]);
  const times = useMemo(() => all.map(({ time }) => Date.parse(time)), [all]);
  const tags = [...new Set(all.flatMap((one) => one.tags))].toSorted();
  // What a filter hides is not touched.
  const chosen = rows.filter(({ id }) => ids.has(id));
  const hidden = all.filter(({ id }) => ids.has(id)).length - chosen.length;
  const go = (next: SnapshotsSearch, how?: "push" | "replace") =>
    goInPlace(snapshotsHref(host.id, next), how);
  const open =
    search.snapshot === undefined ? undefined : all.find(({ id }) => id.startsWith(search.snapshot ?? ""));
  return (
    <>
      {search.snapshot !== undefined && data !== undefined && (
        <SnapshotPanel
          host={host}
          snapshot={open}
          snapshotId={search.snapshot}
          all={all}
          closeHref={snapshotsHref(host.id, without(search, "snapshot", undefined))}
        />
      )}
      {all.length > 0 && (
        <div className={styles.charts}>
          <Panel title="By day">
            <Calendar times={times} day={day} onDay={(next) => go(without(search, "day", next))} />
          </Panel>
          <Panel title="Growth" note="What the snapshots listed here added to the repository, summed up.">
            <Growth snapshots={all} />
          </Panel>
        </div>
      )}
      {chosen.length > 0 && (
        <ChosenBar host={host} chosen={chosen} hidden={hidden} all={all} onClear={() => setIds(new Set())} />
      )}
      <Panel
        flush
        title="Snapshots"
        note={
          data?.taken_at ? (
            <>
              As the agent listed them <TimeAgo at={Date.parse(data.taken_at)} />.
            </>
          ) : undefined
        }
      >
        {all.length > 0 && (
          <FilterBar
            searchLabel="Find by ID, tag or path"
            search={typed}
            onSearch={(text) => {
              setTyped(text);
              go(without(search, "q", text.trim() === "" ? undefined : text.trim()), "replace");
            }}
            choicesLabel="Tag"
            chosen={odd ? "?odd" : (tag ?? "?all")}
            onChoose={(id) => {
              const { tag: _, odd: __, ...rest } = search;
              go(id === "?all" ? rest : id === "?odd" ? { ...rest, odd: "1" } : { ...rest, tag: id });
            }}
            choices={[
              { id: "?all", title: "All", count: all.length },
              ...tags.slice(0, 8).map((one) => ({ id: one, title: one })),
              ...(unusual === 0
                ? []
                : [
                    {
                      id: "?odd",
                      title: "Unusual",
                      count: unusual,
                      mark: { state: "warn", icon: "issues" } as const,
                    },
                  ]),
            ]}
          >
            {day !== undefined && (
              <span className={styles.only}>
                Only {day}{" "}
                <AppLink
                  inPlace
                  className="link"
                  href={snapshotsHref(host.id, without(search, "day", undefined))}
                >
                  Show all days
                </AppLink>
              </span>
            )}
          </FilterBar>
        )}
        <DataTable
          label={`Snapshots of ${host.name}`}
          columns={columns}
          rows={rows}
          idOf={(snapshot) => snapshot.id}
          nameOf={(snapshot) => `snapshot ${snapshot.id.slice(0, 8)}`}
          hrefOf={(snapshot) => snapshotsHref(host.id, { ...search, snapshot: snapshot.id.slice(0, 8) })}
          {...(open === undefined ? {} : { current: open.id })}
          total={rows.length}
          listId={`${host.id} ${JSON.stringify(search)}`}
          sort={{ by: sort, order }}
          onSort={(next) => go({ ...search, sort: next.by, order: next.order })}
          {...(operate ? { selection: { ids, onChange: setIds } } : {})}
          empty={
            all.length > 0 ? (
              <EmptyState
                kind="filtered"
                title={`No snapshot matches this filter. ${formatCount(all.length)} are hidden by it.`}
                actions={
                  <AppLink inPlace className="link" href={snapshotsHref(host.id, {})}>
                    Clear the filter
                  </AppLink>
                }
              />
            ) : (
              <NoSnapshots host={host} loading={data === undefined} error={error} />
            )
          }
        />
      </Panel>
    </>
  );
}

function without<Key extends keyof SnapshotsSearch>(
  search: SnapshotsSearch,
  key: Key,
  value: SnapshotsSearch[Key],
): SnapshotsSearch {
  const { [key]: _, ...rest } = search;
  return value === undefined ? rest : { ...rest, [key]: value };
}

/** The address of a host's snapshots. */
function snapshotsHref(hostId: string, search: SnapshotsSearch): string {
  const given = Object.entries(search).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `/hosts/${hostId}?${new URLSearchParams([["tab", "snapshots"], ...given]).toString()}`;
}
