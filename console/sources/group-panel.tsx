import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedules } from "@restic-manager/protocol/api/schedules";
import type { SourceGroup } from "@restic-manager/protocol/api/sources";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf, formatCount } from "../format/numbers.ts";
import { limitWords } from "../format/durations.ts";
import { RunOffer } from "../host/run-offer.tsx";
import { snapshotsQuery, sourceGroupsQuery } from "../queries.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { ConfirmInPlace } from "../ui/confirm-in-place.tsx";
import { Panel } from "../ui/panel.tsx";
import { Bytes } from "../ui/quantity.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { HooksInWords } from "./hooks-in-words.tsx";
import { conflictsOf, firingOf } from "./retention-conflict.ts";
import { RetentionGrid } from "./retention-grid.tsx";
import styles from "./sources.module.css";

interface GroupPanelProps {
  host: Host;
  group: SourceGroup;
  /** Undefined while they are asked for. */
  schedules: Schedules | undefined;
}

/** One source group; a click anywhere opens its form. */
export function GroupPanel({ host, group, schedules }: GroupPanelProps) {
  const { operate } = useMay();
  const fired = (schedules?.items ?? []).filter((schedule) =>
    schedule.source_groups.some(({ id }) => id === group.id),
  );
  const conflicts = conflictsOf(group, firingOf(group, fired));
  const name = <span className="mono">{group.name}</span>;
  return (
    <div className={operate ? styles.group : undefined}>
      <Panel
        title={
          operate ? (
            <AppLink className={styles.open} href={`/hosts/${host.id}?tab=sources&group=${group.id}`}>
              {name}
            </AppLink>
          ) : (
            name
          )
        }
        note={<LastSnapshot host={host} group={group} />}
        {...(operate ? { actions: <GroupVerbs host={host} group={group} /> } : {})}
      >
        <div className={styles.three}>
          <div>
            <PathPart title="Includes" paths={group.includes} />
            {group.excludes.length > 0 && <PathPart title="Excludes" paths={group.excludes} />}
          </div>
          <div className={styles.part}>
            <h3>Keep</h3>
            <RetentionGrid policy={group.retention_policy} conflicts={conflicts} />
          </div>
          <div>
            <div className={styles.part}>
              <h3>Fired by</h3>
              <FiredBy hostId={host.id} fired={schedules === undefined ? undefined : fired} />
            </div>
            <div className={styles.part}>
              <h3>If it fails</h3>
              <p>{retriesInWords(group)}</p>
            </div>
            <div className={styles.part}>
              <h3>Hooks</h3>
              <HooksInWords own={group.hooks} inherited={host.default_hooks ?? null} />
            </div>
          </div>
        </div>
      </Panel>
    </div>
  );
}

function GroupVerbs({ host, group }: { host: Host; group: SourceGroup }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.deleteGroup(host.id, group.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: sourceGroupsQuery(host.id).queryKey }),
  });
  const users = remove.error === null ? [] : asProblem(remove.error).schedules;
  return (
    <span className={styles.verbs}>
      <RunOffer
        host={host}
        what={group.name}
        run={async (when_offline) => [(await api.runGroup(host.id, group.id, { when_offline })).job]}
      />
      <ConfirmInPlace
        key={String(remove.failureCount)}
        action={`Delete ${group.name}`}
        short="Delete"
        consequence="Its snapshots stay."
        busy={remove.isPending}
        onConfirm={() => remove.mutate()}
      />
      <CallProblem error={remove.error} />
      {users.map(({ id, cron }) => (
        <AppLink key={id} className="link" href={`/hosts/${host.id}?tab=schedules&schedule=${id}`}>
          {cronWords(cron)}
        </AppLink>
      ))}
    </span>
  );
}

function LastSnapshot({ host, group }: { host: Host; group: SourceGroup }) {
  const { data } = useInfiniteQuery(snapshotsQuery(host.id));
  if (data === undefined) return <>{countOf(group.includes.length, "path")}</>;
  const found = data.pages
    .flatMap((page) => page.items)
    .find((snapshot) => snapshot.tags.includes(group.name));
  if (found === undefined) {
    const all = data.pages.at(-1)?.next_cursor === null;
    return <>{all ? "No snapshot yet" : countOf(group.includes.length, "path")}</>;
  }
  return (
    <>
      Last snapshot{" "}
      <span className={styles.above}>
        <TimeAgo at={Date.parse(found.time)} />
      </span>
      {found.summary !== undefined && (
        <>
          , <Bytes value={found.summary.total_bytes_processed} />
        </>
      )}
    </>
  );
}

/** Paths shown of a long list; the form has them all. */
const MOST_PATHS = 12;

function PathPart({ title, paths }: { title: string; paths: readonly string[] }) {
  return (
    <div className={styles.part}>
      <h3>{title}</h3>
      <ul className={styles.paths}>
        {[...new Set(paths)].slice(0, MOST_PATHS).map((path) => (
          <li key={path} className="mono">
            {path}
          </li>
        ))}
        {paths.length > MOST_PATHS && (
          <li className="quiet">and {formatCount(paths.length - MOST_PATHS)} more</li>
        )}
      </ul>
    </div>
  );
}

function FiredBy({ hostId, fired }: { hostId: string; fired: Schedules["items"] | undefined }) {
  if (fired === undefined) return <p className="quiet">Asking for the schedules…</p>;
  if (fired.length === 0) return <p>Nothing: it is backed up by hand only.</p>;
  return (
    <ul className={styles.fired}>
      {fired.map((schedule) => (
        <li key={schedule.id}>
          <AppLink
            className={`link ${styles.above}`}
            href={`/hosts/${hostId}?tab=schedules&schedule=${schedule.id}`}
          >
            {cronWords(schedule.cron)}
          </AppLink>
          <span className="mono quiet">
            {schedule.cron}
            {!schedule.enabled && " (off)"}
          </span>
        </li>
      ))}
    </ul>
  );
}

function retriesInWords({ retry_max: most, retry_backoff_seconds: first }: SourceGroup): string {
  if (most === 0) return "Not tried again before its next time.";
  return `Tried again up to ${countOf(most, "time")}, first after ${limitWords(first)}.`;
}
