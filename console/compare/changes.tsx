import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { DiffCounts } from "@restic-manager/protocol/jobs/diff";
import { useEffect, useMemo } from "react";
import { asProblem } from "../api-problem.ts";
import { changesQuery } from "../queries.ts";
import { folderOf } from "../restore/paths.ts";
import { wizardHref } from "../restore/wizard-search.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar, type FilterChoice } from "../ui/filter-bar.tsx";
import { useInPlace } from "../ui/in-place.ts";
import { Panel } from "../ui/panel.tsx";
import { useSettled } from "../ui/use-settled.ts";
import { useTyped } from "../ui/use-typed.ts";
import { changeColumns, type ChangeRow } from "./change-columns.tsx";
import { allOf, changeWords } from "./change-words.ts";
import { CHANGE_KINDS, changeListOf, compareHref, type CompareSearch } from "./compare-search.ts";
import styles from "./compare.module.css";

const route = getRouteApi("/signed-in/jobs/$jobId");
/** While it runs, what was found by then is asked for again so often. */
const AGAIN_MS = 1_500;
/** With more pages than that asking for all of them again would cost more than it shows. */
const FEW_PAGES = 4;
const TYPING_RESTS_MS = 150;

/** Without a filter. Only the end of a success knows that there is nothing. */
const NOTHING: Record<Job["state"], string> = {
  queued: "It has not begun",
  running: "Nothing that differs was found yet",
  succeeded: "Nothing differs",
  failed: "It had found nothing by then",
  cancelled: "It had found nothing by then",
};

interface ChangesProps {
  job: Pick<Job, "id" | "host" | "state">;
  /** As far as they are known: of all changes, kept or not. */
  counts: DiffCounts | undefined;
}

/** What a comparison found, narrowed by kind, name and folder; it grows while the comparison runs. */
export function Changes({ job, counts }: ChangesProps) {
  const { operate } = useMay();
  if (!operate) {
    return (
      <Panel title="Changes">
        <EmptyState
          kind="refused"
          title="Operators see which files changed"
          text="Names in snapshots are not shown to viewers."
        />
      </Panel>
    );
  }
  return <ChangeTable job={job} counts={counts} />;
}

function ChangeTable({ job, counts }: ChangesProps) {
  const goInPlace = useInPlace();
  const queryClient = useQueryClient();
  const search = route.useSearch();
  const { kind, below } = search;
  const [typed, setTyped] = useTyped(search.q ?? "");
  const q = useSettled(search.q ?? "", TYPING_RESTS_MS);
  const list = useMemo(
    () =>
      changeListOf({
        ...(kind === undefined ? {} : { kind }),
        ...(below === undefined ? {} : { below }),
        q,
      }),
    [kind, below, q],
  );
  const running = job.state === "running" || job.state === "queued";
  const { data, error, fetchNextPage } = useInfiniteQuery({
    ...changesQuery(job.id, list),
    refetchInterval: ({ state }) =>
      running && (state.data?.pages.length ?? 0) <= FEW_PAGES ? AGAIN_MS : false,
  });
  // The last ones came with the end, and with them the sums by folder.
  useEffect(() => {
    if (!running) void queryClient.invalidateQueries({ queryKey: ["changes", job.id] });
  }, [running, queryClient, job.id]);
  const rows = useMemo(
    () => data?.pages.flatMap((page) => page.items).map((change, n): ChangeRow => ({ ...change, n })) ?? [],
    [data],
  );
  const first = data?.pages[0];
  const go = (next: CompareSearch, how?: "push" | "replace") => goInPlace(compareHref(job.id, next), how);
  const filtered = kind !== undefined || below !== undefined || search.q !== undefined;
  return (
    <Panel flush title="Changes" note={noteOf(running, first !== undefined)}>
      <FilterBar
        searchLabel="Find by a part of the path"
        search={typed}
        onSearch={(text) => {
          setTyped(text);
          go(withQ(search, text.trim()), "replace");
        }}
        choicesLabel="Kind of change"
        chosen={kind ?? "all"}
        onChoose={(id) => {
          const { kind: _, ...rest } = search;
          const next = CHANGE_KINDS.find((known) => known === id);
          go(next === undefined ? rest : { ...rest, kind: next });
        }}
        choices={choicesOf(counts, kind)}
      />
      {below !== undefined && (
        <p className={styles.only}>
          Only below <span className="mono">{below}</span>{" "}
          <AppLink inPlace className="link" href={compareHref(job.id, withoutBelow(search))}>
            Show every folder
          </AppLink>
        </p>
      )}
      <DataTable
        label="Changes"
        columns={changeColumns}
        rows={rows}
        idOf={(change) => String(change.n)}
        nameOf={(change) => change.path}
        hrefOf={({ kind: what, path }) => {
          const at = folderOf(path);
          // What was removed lies in the older of the two.
          const snapshot = what === "removed" ? first?.from : first?.to;
          return wizardHref(job.host.id, snapshot ?? "", at === "/" ? {} : { at });
        }}
        total={first?.total ?? 0}
        listId={`${job.id} ${JSON.stringify(list)}`}
        onMore={() => void fetchNextPage()}
        empty={
          first === undefined ? (
            <EmptyState
              kind={error === null ? "filtered" : "refused"}
              title={error === null ? "Asking for the changes…" : "The changes could not be read"}
              {...(error === null ? {} : { text: asProblem(error).message })}
            />
          ) : filtered ? (
            <EmptyState
              kind="filtered"
              title="No change matches this filter."
              actions={
                <AppLink inPlace className="link" href={compareHref(job.id, {})}>
                  Clear the filter
                </AppLink>
              }
            />
          ) : (
            <EmptyState kind="filtered" title={NOTHING[job.state]} />
          )
        }
      />
    </Panel>
  );
}

function noteOf(running: boolean, known: boolean): string {
  const where = "A row opens the folder in the snapshot that has it.";
  return running && known ? `Told as they are found. ${where}` : where;
}

function choicesOf(counts: DiffCounts | undefined, chosen: string | undefined): FilterChoice[] {
  const some = CHANGE_KINDS.filter((kind) => kind === chosen || counts === undefined || counts[kind] > 0);
  const count = (value: number | undefined) => (value === undefined ? {} : { count: value });
  return [
    { id: "all", title: "All", ...count(counts === undefined ? undefined : allOf(counts)) },
    ...some.map((kind) => ({ id: kind, title: changeWords[kind].word, ...count(counts?.[kind]) })),
  ];
}

function withQ(search: CompareSearch, text: string): CompareSearch {
  const { q: _, ...rest } = search;
  return text === "" ? rest : { ...rest, q: text };
}

function withoutBelow(search: CompareSearch): CompareSearch {
  const { below: _, ...rest } = search;
  return rest;
}
