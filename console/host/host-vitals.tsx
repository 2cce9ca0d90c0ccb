import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedules } from "@restic-manager/protocol/api/schedules";
import { formatDuration } from "../format/durations.ts";
import { countOf } from "../format/numbers.ts";
import { schedulesQuery, snapshotsQuery } from "../queries.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { useAtLeast } from "../ui/at-least.ts";
import { Bytes } from "../ui/quantity.tsx";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { Vitals, type Vital } from "../ui/vitals.tsx";

/** What matters most of a machine. `short`: on a phone only the first and the last. */
export function HostVitals({ host, short }: { host: Host; short: boolean }) {
  const wide = useAtLeast(901);
  const { data } = useInfiniteQuery(snapshotsQuery(host.id));
  const { data: schedules } = useQuery(schedulesQuery(host.id));
  const newest = data?.pages[0]?.items[0];
  const items: Vital[] = [
    lastBackup(host),
    nextRun(host, schedules),
    {
      label: "Protected",
      value: host.protected_bytes === null ? "–" : <Bytes value={host.protected_bytes} />,
      note:
        newest?.summary === undefined
          ? "what the last snapshot covers"
          : `${countOf(newest.summary.total_files_processed, "file")} in the last snapshot`,
    },
    inTheRepository(host),
    repository(host),
    agent(host),
  ];
  const [first] = items;
  const last = items.at(-1);
  return <Vitals items={short && !wide && first && last ? [first, last] : items} />;
}

function lastBackup({ last_backup: last }: Host): Vital {
  const label = "Last backup";
  if (last === null) return { label, value: "None yet" };
  const { state, icon, word } = jobWord(last.state, last.issue_count);
  const took = last.duration_ms === null ? "" : `, ${formatDuration(last.duration_ms)}`;
  const notes = {
    succeeded:
      last.issue_count > 0 ? `${countOf(last.issue_count, "file")} not read${took}` : `succeeded${took}`,
    failed: last.error?.message ?? "failed",
    cancelled: `cancelled${took}`,
  };
  return {
    label,
    value: (
      <StatusMark
        state={state}
        icon={icon}
        word={
          <>
            <TimeAgo at={Date.parse(last.finished_at)} />
            <span className="visually-hidden">, {word}</span>
          </>
        }
      />
    ),
    note: notes[last.state],
  };
}

/** When it fires next; that one is overdue comes first. */
function nextRun(host: Host, schedules: Schedules | undefined): Vital {
  const label = "Next run";
  if (schedules === undefined) return { label, value: "–" };
  if (host.paused ?? schedules.paused) {
    return { label, value: <StatusMark state="warn" icon="paused" word="Paused" />, note: "nothing fires" };
  }
  const late = schedules.items.find((schedule) => schedule.overdue !== null);
  if (late?.overdue) {
    const { scheduled_at: at, host_offline: away } = late.overdue;
    return {
      label,
      value: <StatusMark state="warn" icon="late" word="Overdue" />,
      note: (
        <>
          since <TimeAgo at={Date.parse(at)} />
          {away && ", may have run while offline"}
        </>
      ),
    };
  }
  const [next] = schedules.items
    .flatMap(({ cron, next_run: run }) => (run === null ? [] : [{ cron, at: Date.parse(run.at) }]))
    .toSorted((a, b) => a.at - b.at);
  if (next === undefined) {
    return {
      label,
      value: "–",
      note: schedules.items.length === 0 ? "no schedule yet" : "every schedule is off",
    };
  }
  return { label, value: <TimeAgo at={next.at} />, note: cronWords(next.cron) };
}

function inTheRepository(host: Host): Vital {
  const { stored_bytes: stored, stats } = host;
  const label = "In the repository";
  const count = countOf(host.snapshot_count, "snapshot");
  if (stored === null) return { label, value: "–", note: `not measured yet, ${count}` };
  const whole = stats?.total_uncompressed_size ?? null;
  const ratio = whole === null || stored === 0 ? null : whole / stored;
  return {
    label,
    value: <Bytes value={stored} />,
    note: (
      <>
        {count}
        {ratio !== null && `, ${ratio.toFixed(1)} : 1`}
      </>
    ),
  };
}

function repository({ repository: found }: Host): Vital {
  const label = "Repository";
  switch (found.state) {
    case "ready":
      return {
        label,
        value: <StatusMark state="ok" icon="done" word="Ready" />,
        note: <span className="mono">{found.repository_id.slice(0, 8)}</span>,
      };
    case "waiting":
      return { label, value: <StatusMark state="idle" icon="queued" word="Not opened yet" /> };
    case "failed":
      return {
        label,
        value: <StatusMark state="fail" icon="failed" word="Not open" />,
        note: <span className="mono">{found.error.code}</span>,
      };
    case "no_credentials":
      return { label, value: <StatusMark state="warn" icon="issues" word="No credentials" /> };
  }
}

function agent(host: Host): Vital {
  const { version, applied_version: applied } = host.config;
  const sync =
    applied === version
      ? `in sync at version ${version}`
      : applied === null
        ? "has no configuration yet"
        : `at version ${applied} of ${version}`;
  const since = host.online ? host.connected_since : host.last_seen_at;
  return {
    label: "Agent",
    value: (
      <StatusMark
        state={host.online ? "ok" : "idle"}
        icon={host.online ? "done" : "offline"}
        word={host.online ? "Connected" : host.last_seen_at === null ? "Never connected" : "Offline"}
      />
    ),
    note: (
      <>
        {host.agent_version !== null && `${host.agent_version}, `}
        {sync}
        {since !== null && (
          <>
            , {host.online ? "since" : "seen"} <TimeAgo at={Date.parse(since)} />
          </>
        )}
      </>
    ),
  };
}
