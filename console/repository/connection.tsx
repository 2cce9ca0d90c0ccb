import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { kindWords } from "../jobs/kinds.tsx";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Facts, type Fact } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./repository.module.css";
import { RunUpkeep } from "./run-upkeep.tsx";

/** Where it is, who shares it, and who has it for itself now. */
export function Connection({ host, repository }: { host: Host; repository: RepositoryPage }) {
  const { credentials, repository_id: id, shared_with: others, turn } = repository;
  const items: Fact[] = [
    ...(credentials === null
      ? []
      : [
          { label: "URL", value: credentials.url, mono: true },
          { label: "User", value: credentials.username ?? "none", mono: credentials.username !== null },
          { label: "Password", value: credentials.has_password ? "stored, not shown" : "none" },
        ]),
    { label: "State", value: <State repository={repository} /> },
    { label: "Repository ID", value: id === null ? "not known yet" : id.slice(0, 8), mono: id !== null },
    {
      label: "Shared with",
      value:
        others.length === 0 ? (
          "no other host"
        ) : (
          <ul className={styles.hosts}>
            {others.map((other) => (
              <li key={other.id}>
                <AppLink className="link mono" href={`/hosts/${other.id}?tab=repository`}>
                  {other.name}
                </AppLink>
                {!other.online && <span className="quiet"> offline</span>}
              </li>
            ))}
          </ul>
        ),
    },
    ...(turn === null
      ? []
      : [
          {
            label: "In use by",
            value: (
              <AppLink className="link" href={`/jobs/${turn.job_id}`}>
                {kindWords[turn.kind].name} of {turn.host.name}
              </AppLink>
            ),
          },
        ]),
    { label: "Locks", value: <Locks host={host} repository={repository} /> },
    { label: "Bandwidth", value: bandwidthInWords(host.bandwidth) },
  ];
  return (
    <Panel
      title="Connection"
      actions={
        <AppLink className="link" href={`/hosts/${host.id}?tab=settings`}>
          {credentials === null ? "Enter credentials" : "Change"}
        </AppLink>
      }
    >
      <Facts items={items} />
    </Panel>
  );
}

function State({ repository: { state } }: { repository: RepositoryPage }) {
  switch (state.state) {
    case "ready":
      return (
        <>
          <StatusMark state="ok" icon="done" word="Ready" />{" "}
          <span className="quiet">
            {state.created ? "created" : "opened"} <TimeAgo at={Date.parse(state.since)} />
          </span>
        </>
      );
    case "waiting":
      return <StatusMark state="idle" icon="queued" word="Not opened yet" />;
    case "failed":
      return (
        <>
          <StatusMark state="fail" icon="failed" word={state.error.message} />{" "}
          <AppLink className="link" href={`/jobs/${state.job_id}`}>
            See the job
          </AppLink>
        </>
      );
    case "no_credentials":
      return <StatusMark state="warn" icon="issues" word="No credentials" />;
  }
}

/** What the last look at them found. A job that meets one waits for it before it says so: here somebody can look at once. */
function Locks({ host, repository: { locks, run_now: now } }: { host: Host; repository: RepositoryPage }) {
  const { operate } = useMay();
  if (locks.state === "locked") {
    const count = locks.locks.length;
    return <StatusMark state="warn" icon="late" word={count === 0 ? "Locked" : countOf(count, "lock")} />;
  }
  return (
    <>
      {locks.state === "unknown" ? (
        "not known yet"
      ) : (
        <>
          <StatusMark state="ok" icon="done" word="None" />{" "}
          <span className="quiet">
            seen <TimeAgo at={Date.parse(locks.at)} />
          </span>
        </>
      )}
      {operate && (
        <RunUpkeep
          quiet
          hostId={host.id}
          label="Remove stale locks"
          what={`the repository of ${host.name}`}
          hindrance={now.unlock}
          run={(when_offline) => api.runUnlock(host.id, { when_offline })}
        />
      )}
    </>
  );
}

function bandwidthInWords(caps: Host["bandwidth"]): string {
  const parts = [
    caps?.upload_kib_per_s ? `${caps.upload_kib_per_s} KiB/s up` : "",
    caps?.download_kib_per_s ? `${caps.download_kib_per_s} KiB/s down` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "not capped" : parts.join(", ");
}
