import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { asProblem } from "../api-problem.ts";
import { hostQuery, jobsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterStrip } from "../ui/filter-bar.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { HostPicker } from "./host-picker.tsx";
import { jobColumns } from "./job-columns.tsx";
import { JOB_FILTERS, jobListOf, jobsHref, readKind, type JobsSearch } from "./jobs-search.ts";
import { kindWords } from "./kinds.tsx";
import styles from "./jobs-page.module.css";

const route = getRouteApi("/signed-in/jobs");
const COLUMNS = jobColumns();

const STATES: Partial<Record<(typeof JOB_FILTERS)[number], string>> = {
  active: "Running and queued",
  succeeded: "Succeeded",
  issues: "With issues",
  failed: "Failed",
  cancelled: "Cancelled",
};
const KINDS = Object.entries(kindWords).map(([id, { name }]) => ({ id, title: name }));

/** Every job of the fleet, newest first. */
export function JobsPage() {
  const router = useRouter();
  const search = route.useSearch();
  const list = useMemo(() => jobListOf(search), [search]);
  const jobs = useInfiniteQuery({ ...jobsQuery(list), placeholderData: keepPreviousData });
  const host = useQuery({ ...hostQuery(search.host ?? ""), enabled: search.host !== undefined });
  const pages = jobs.data?.pages;
  const rows = useMemo(() => once(pages ?? []), [pages]);
  const filtered = search.state !== undefined || search.kind !== undefined || search.host !== undefined;
  const go = (wanted: JobsSearch) => router.history.push(jobsHref(wanted));
  const { state: _, ...withoutState } = search;
  const { kind: __, ...withoutKind } = search;
  const { host: ___, ...withoutHost } = search;
  return (
    <Page>
      <PageHeader title="Jobs" note="Everything agents were asked to do, newest first." />
      <Panel flush>
        <div className={styles.bar}>
          <HostPicker
            chosen={search.host === undefined ? null : { id: search.host, name: host.data?.name ?? "…" }}
            onChoose={(id) => go(id === null ? withoutHost : { ...search, host: id })}
          />
          <FilterStrip
            choicesLabel="State"
            chosen={search.state ?? "all"}
            onChoose={(id) => {
              const state = JOB_FILTERS.find((each) => each === id);
              go(state === undefined ? withoutState : { ...search, state });
            }}
            choices={[
              { id: "all", title: "All" },
              ...JOB_FILTERS.flatMap((id) => {
                const title = STATES[id] ?? (search.state === id ? `Only ${id}` : undefined);
                return title === undefined ? [] : [{ id, title }];
              }),
            ]}
          />
          <FilterStrip
            choicesLabel="Kind"
            chosen={search.kind ?? "all"}
            onChoose={(id) => {
              const kind = readKind(id);
              go(kind === undefined ? withoutKind : { ...search, kind });
            }}
            choices={[{ id: "all", title: "Any kind" }, ...KINDS]}
          />
        </div>
        {jobs.isError && (
          <div className={styles.problem}>
            <Notice
              state="fail"
              title={asProblem(jobs.error).message}
              actions={
                <Button size="xs" variant="default" onClick={() => void jobs.refetch()}>
                  Try again
                </Button>
              }
            >
              {asProblem(jobs.error).hint ?? "The jobs could not be asked for."}
            </Notice>
          </div>
        )}
        {pages === undefined ? (
          !jobs.isError && <p className={styles.waiting}>Asking for the jobs…</p>
        ) : (
          <DataTable<Job>
            label="Jobs"
            columns={COLUMNS}
            rows={rows}
            idOf={(job) => job.id}
            nameOf={(job) => `${kindWords[job.kind].name}, ${job.host.name}`}
            hrefOf={(job) => `/jobs/${job.id}`}
            total={jobs.hasNextPage ? "more" : rows.length}
            listId={JSON.stringify(list) + String(jobs.isPlaceholderData)}
            {...(jobs.hasNextPage && !jobs.isFetchingNextPage
              ? { onMore: () => void jobs.fetchNextPage() }
              : {})}
            empty={
              filtered ? (
                <EmptyState
                  kind="filtered"
                  title="No job matches this filter."
                  actions={
                    <AppLink className="link" href="/jobs">
                      Clear the filter
                    </AppLink>
                  }
                />
              ) : (
                <EmptyState
                  kind="first"
                  title="No job has run yet"
                  text="A machine's first job opens its repository, as soon as its agent connects. Backups started in the fleet appear here too."
                  actions={
                    <LinkButton href="/" variant="default">
                      Go to the fleet
                    </LinkButton>
                  }
                />
              )
            }
          />
        )}
      </Panel>
    </Page>
  );
}

function once(pages: readonly { items: readonly Job[] }[]): readonly Job[] {
  return [...new Map(pages.flatMap(({ items }) => items).map((job) => [job.id, job])).values()];
}
