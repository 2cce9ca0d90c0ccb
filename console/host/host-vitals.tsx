import { useInfiniteQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { formatDuration } from "../format/durations.ts";
import { formatCount } from "../format/numbers.ts";
import { countOf } from "../format/numbers.ts";
import { snapshotsQuery } from "../queries.ts";
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
  const newest = data?.pages[0]?.items[0];
  const items: Vital[] = [
    lastBackup(host),
    {
      label: "Protected",
      value: host.protected_bytes === null ? "–" : <Bytes value={host.protected_bytes} />,
      note:
        newest?.summary === undefined
          ? "what the last snapshot covers"
          : `${countOf(newest.summary.total_files_processed, "file")} in the last snapshot`,
    },
    inTheRepository(host),
    {
      label: "Snapshots",
      value: formatCount(host.snapshot_count),
      note:
        newest === undefined ? (
          "none yet"
        ) : (
          <>
            newest <TimeAgo at={Date.parse(newest.time)} />
          </>
        ),
    },
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

function inTheRepository({ stored_bytes: stored, stats }: Host): Vital {
  const label = "In the repository";
  if (stored === null) return { label, value: "–", note: "not measured yet" };
  const whole = stats?.total_uncompressed_size ?? null;
  const ratio = whole === null || stored === 0 ? null : whole / stored;
  return {
    label,
    value: <Bytes value={stored} />,
    note: (
      <>
        {ratio !== null && `compressed ${ratio.toFixed(1)} : 1, `}
        {stats === null ? "" : "measured "}
        {stats !== null && <TimeAgo at={Date.parse(stats.taken_at)} />}
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
