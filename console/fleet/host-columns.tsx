import { Loader } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import type { HostRow } from "@restic-manager/protocol/api/hosts";
import { formatCount, formatPercent } from "../format/numbers.ts";
import type { Column } from "../ui/data-table/column.ts";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { hostWords } from "../ui/state-words.ts";
import { StateIcon } from "../ui/state-icon.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { hostCause } from "./cause-words.ts";
import styles from "./host-table.module.css";
import type { RunNow } from "./run-now.ts";

/** The fleet table's columns; `run` is null for who may only look. */
export function hostColumns(run: RunNow | null): readonly Column<HostRow>[] {
  const columns: Column<HostRow>[] = [
    {
      id: "status",
      title: "Status",
      width: "136px",
      sort: "status",
      phone: "state",
      cell: (host) => <StatusMark {...hostWords[host.status]} />,
    },
    {
      id: "name",
      title: "Host",
      width: "minmax(150px, 1.1fr)",
      sort: "name",
      phone: "name",
      cell: (host) => (
        <>
          <span className={styles.name}>{host.name}</span>
          <Paused host={host} />
        </>
      ),
    },
    {
      id: "os",
      title: "OS",
      width: "minmax(120px, 1fr)",
      sort: "os",
      from: 1240,
      cell: (host) => host.os_name,
    },
    {
      id: "last",
      title: "Last backup",
      width: "minmax(230px, 1.8fr)",
      sort: "last_backup",
      phone: "detail",
      cell: (host) => <LastBackup host={host} run={run} />,
    },
    {
      id: "protected",
      title: "Protected",
      width: "96px",
      align: "end",
      sort: "protected",
      cell: (host) => (host.protected_bytes === null ? <None /> : <Bytes value={host.protected_bytes} />),
    },
    {
      id: "snapshots",
      title: "Snapshots",
      width: "96px",
      align: "end",
      sort: "snapshots",
      from: 1080,
      cell: (host) => formatCount(host.snapshot_count),
    },
  ];
  if (run === null) return columns;
  return [
    ...columns,
    {
      id: "run",
      title: "Run",
      silent: true,
      width: "34px",
      control: true,
      phone: "action",
      cell: (host) => <RunButton host={host} run={run} />,
    },
  ];
}

/** A mark beside the name, whatever the host's state is. */
function Paused({ host }: { host: HostRow }) {
  if ((host.paused ?? null) === null) return null;
  return (
    <span className={styles.paused} data-exact={`Paused: ${host.paused?.reason}`}>
      <StateIcon state="warn" icon="paused" size={14} />
      <span className="visually-hidden"> paused</span>
    </span>
  );
}

function None() {
  return (
    <span className={styles.none}>
      <span aria-hidden="true">–</span>
      <span className="visually-hidden">not known yet</span>
    </span>
  );
}

/** The cause when something is wrong, what happens now, or how long the last backup took. */
function LastBackup({ host, run }: { host: HostRow; run: RunNow | null }) {
  const attempt = run?.attempts.get(host.id);
  if (attempt?.state === "refused") {
    const { message, hint } = attempt.problem;
    return (
      <span
        role="alert"
        className={styles.cause}
        data-state="fail"
        data-exact={[message, hint].join(" ").trim()}
      >
        {message}
      </span>
    );
  }
  const { active_job: active, last_backup: last } = host;
  if (active?.state === "running") {
    const done = active.fraction === null ? "" : `, ${formatPercent(active.fraction)} %`;
    return (
      <span className={styles.cause} data-state="run">
        {active.kind === "backup" ? "Backing up" : "Opening the repository"}
        {done}
      </span>
    );
  }
  if (active?.kind === "backup") {
    return (
      <span className={styles.cause} data-state="idle">
        {host.online ? "Backup is queued" : "Backup starts when it is back"}
      </span>
    );
  }
  const cause = hostCause(host);
  if (host.paused && (cause === null || host.status === "offline")) {
    const words = `Paused: ${host.paused.reason}`;
    return (
      <span className={styles.cause} data-state="warn" data-exact={words}>
        {words}
      </span>
    );
  }
  const { state } = hostWords[host.status];
  const ago = last === null ? null : <TimeAgo at={Date.parse(last.finished_at)} inRow />;
  if (cause !== null) {
    const at = host.status === "offline" ? host.last_seen_at : last?.finished_at;
    return (
      <>
        <span className={styles.cause} data-state={state}>
          {cause}
        </span>{" "}
        {at !== undefined && at !== null && (
          <span className="quiet">
            <TimeAgo at={Date.parse(at)} inRow />
          </span>
        )}
      </>
    );
  }
  if (last === null) return <span className="quiet">None yet</span>;
  return (
    <>
      {ago}{" "}
      <span className="quiet">
        {last.state === "cancelled" && "cancelled "}
        {last.duration_ms !== null && (
          <>
            in <Duration value={last.duration_ms} />
          </>
        )}
      </span>
    </>
  );
}

function RunButton({ host, run }: { host: HostRow; run: RunNow }) {
  const busy = run.attempts.get(host.id)?.state === "asking";
  const active = host.active_job;
  const waits = active !== null && active.kind === "backup";
  return (
    // The browser's own button: one of Mantine's takes longer to make than the rest of the row.
    <button
      type="button"
      className={styles.run}
      aria-busy={busy}
      disabled={waits || busy}
      aria-label={waits ? `${host.name}: a backup is ${active.state} already` : `Back up ${host.name} now`}
      title={waits ? `A backup is ${active.state} already` : "Back up now"}
      onClick={() => void run.run(host.id)}
    >
      {busy ? <Loader size={14} /> : <IconPlayerPlay size={16} stroke={1.6} />}
    </button>
  );
}
