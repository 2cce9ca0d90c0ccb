import type { Host } from "@restic-manager/protocol/api/hosts";
import { dayTime } from "../format/day-times.ts";
import { formatDuration } from "../format/durations.ts";
import { Notice } from "../ui/notice.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { PausedNotice } from "./paused-notice.tsx";

/** A clock further off than this is told: snapshots get the machine's time. */
const SKEW_FROM_MS = 60_000;

/** What a person has to know of this machine before anything else, each with what to do. */
export function HostNotices({ host }: { host: Host }) {
  return (
    <>
      <LinkProblem host={host} />
      <PausedNotice host={host} />
      <ResticProblem host={host} />
      <OfflineNotice host={host} />
      <ClockNotice host={host} />
    </>
  );
}

function LinkProblem({ host: { link_problem: problem } }: { host: Host }) {
  if (problem === null) return null;
  return (
    <Notice
      state="fail"
      title={sentence(problem.message)}
      aside={
        <span className="quiet">
          <TimeAgo at={Date.parse(problem.at)} />
        </span>
      }
    >
      {problem.code === "clone" &&
        "If the machine was copied, remove the agent from the copy and add it as a host of its own. Two machines under one name would overwrite each other's state."}
      {problem.code === "protocol_too_old" &&
        "Update the agent on this machine. Its backups go on meanwhile."}
      {problem.code === "protocol_too_new" && "Update this server. The machine's backups go on meanwhile."}
    </Notice>
  );
}

function ResticProblem({ host }: { host: Host }) {
  if (host.restic === null || host.restic.state === "ok") return null;
  const title =
    host.restic.state === "missing"
      ? `restic is not installed on ${host.name}`
      : `restic ${host.restic.version} on ${host.name} is too old`;
  return (
    <Notice state="fail" title={title}>
      Nothing can be backed up without restic 0.18.0 or newer. Install it there; the agent notices by itself.
    </Notice>
  );
}

function OfflineNotice({ host }: { host: Host }) {
  const seen = host.last_seen_at === null ? null : Date.parse(host.last_seen_at);
  const when = useTimeText((now) => (seen === null ? "" : dayTime(seen, now)));
  if (host.online) return null;
  if (seen === null) {
    return (
      <Notice state="idle" icon="new" title={`The agent of ${host.name} has never connected`}>
        Run the install command on the machine, or start the agent there if it is installed.
      </Notice>
    );
  }
  const queued = host.active_job?.state === "queued";
  const runs = host.active_job?.state === "running";
  return (
    <Notice state="idle" icon="offline" title={`${host.name} is offline since ${when}`}>
      {queued && "A job is queued and starts when it returns."}
      {runs && "A job was running when it was last heard. Its outcome comes when the machine returns."}
      {!queued &&
        !runs &&
        "Look whether the machine is up, whether the agent runs there, and whether it can reach this server."}
    </Notice>
  );
}

function ClockNotice({ host: { name, clock_skew_ms: skew } }: { host: Host }) {
  if (skew === null || Math.abs(skew) <= SKEW_FROM_MS) return null;
  return (
    <Notice
      state="warn"
      icon="late"
      title={`The clock of ${name} is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the server's`}
    >
      Snapshots are stamped with the machine&apos;s time. Turn on time synchronisation there.
    </Notice>
  );
}

/** A message of the server's as a sentence. */
function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
