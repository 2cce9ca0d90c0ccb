import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { countOf } from "../format/numbers.ts";
import { snapshotsQuery, sourceGroupsQuery } from "../queries.ts";
import { AppLink } from "../ui/app-link.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { HistoryRuler, type HistoryGroup } from "../ui/history-ruler.tsx";
import { Panel } from "../ui/panel.tsx";
import { useTicker, useTimeText } from "../ui/ticker.ts";
import { RecentJobs } from "./host-jobs.tsx";
import styles from "./host.module.css";
import { NextRuns } from "./next-runs.tsx";
import { RecentRestores } from "./recent-restores.tsx";
import { RepositoryPanel } from "./repository-panel.tsx";

/** What can be restored, what ran, and how the repository stands. */
export function HostOverview({ host }: { host: Host }) {
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <WhatYouCanRestore host={host} />
        <RecentJobs host={host} />
      </div>
      <div className={styles.side}>
        <NextRuns host={host} />
        <RecentRestores host={host} />
        <RepositoryPanel host={host} />
        <WhatIsBackedUp host={host} />
      </div>
    </div>
  );
}

function WhatYouCanRestore({ host }: { host: Host }) {
  const ticker = useTicker();
  // Drawn anew every minute: a pixel of the ruler is no less.
  useTimeText((now) => String(Math.floor(now / 60_000)));
  const { data, error } = useInfiniteQuery(snapshotsQuery(host.id));
  const snapshots = data?.pages.flatMap((page) => page.items) ?? [];
  const total = data?.pages[0]?.total ?? 0;
  const shown =
    snapshots.length < total ? `, the newest ${countOf(snapshots.length, "snapshot")} of them here` : "";
  return (
    <Panel
      title="What you can restore"
      note={`Every snapshot on one ruler: dense today, thinner towards the past${shown}.`}
      flush={snapshots.length === 0}
      actions={
        total > 0 && (
          <AppLink className="link" href={`/hosts/${host.id}?tab=snapshots`}>
            {countOf(total, "snapshot")}
          </AppLink>
        )
      }
    >
      {snapshots.length > 0 ? (
        <HistoryRuler groups={groupsOf(snapshots)} now={ticker.now()} />
      ) : (
        <NoSnapshots host={host} loading={data === undefined} error={error} />
      )}
    </Panel>
  );
}

/** What a list of snapshots says when there is none. */
export function NoSnapshots({ host, loading, error }: { host: Host; loading: boolean; error: Error | null }) {
  if (error !== null && loading) {
    return <EmptyState kind="refused" title="The snapshots could not be read" text={error.message} />;
  }
  if (loading) return <EmptyState kind="filtered" title="Loading the snapshots…" />;
  return <EmptyState kind="first" title="No snapshot yet" text={firstSnapshot(host)} />;
}

/** What has to happen before there is a first snapshot. */
function firstSnapshot({ active_job: job, repository }: Host): string {
  if (repository.state === "no_credentials") return "First it must be known where to back up to.";
  if (repository.state === "failed") return "First the repository has to open.";
  if (job?.kind === "backup") return "The first one appears here when the backup has ended.";
  return "Back up now makes the first one.";
}

/** Snapshots by their tags; those without one stand under "no tag". */
export function groupsOf(snapshots: readonly Pick<Snapshot, "tags" | "time">[]): HistoryGroup[] {
  const groups = new Map<string, number[]>();
  for (const { tags, time } of snapshots) {
    for (const tag of tags.length === 0 ? ["no tag"] : tags) {
      const times = groups.get(tag) ?? [];
      times.push(Date.parse(time));
      groups.set(tag, times);
    }
  }
  return [...groups].map(([name, times]) => ({ name, times })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function WhatIsBackedUp({ host }: { host: Host }) {
  const { data } = useQuery(sourceGroupsQuery(host.id));
  if (data === undefined || data.items.length === 0) return null;
  return (
    <Panel title="What is backed up">
      {data.items.map((group) => (
        <div key={group.id} className={styles.group}>
          <h3 className="mono">{group.name}</h3>
          <PathList paths={group.includes} />
          {group.excludes.length > 0 && (
            <>
              <p className="quiet">without</p>
              <PathList paths={group.excludes} />
            </>
          )}
        </div>
      ))}
    </Panel>
  );
}

/** Paths shown of a long list. */
const MOST_PATHS = 8;

function PathList({ paths }: { paths: readonly string[] }) {
  return (
    <ul className={styles.paths}>
      {paths.slice(0, MOST_PATHS).map((path) => (
        <li key={path} className="mono">
          {path}
        </li>
      ))}
      {paths.length > MOST_PATHS && <li className="quiet">and {paths.length - MOST_PATHS} more</li>}
    </ul>
  );
}
