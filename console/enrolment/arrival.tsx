import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState } from "react";
import type { EnrollmentProgress, EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { asProblem } from "../api-problem.ts";
import { useRunNow } from "../fleet/run-now.ts";
import { formatCountdown } from "../format/durations.ts";
import { enrollmentQuery } from "../queries.ts";
import { CopyField } from "../ui/copy-field.tsx";
import { FilterStrip } from "../ui/filter-bar.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { Notice } from "../ui/notice.tsx";
import { Panel } from "../ui/panel.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./add-host.module.css";

/** Asked for again this often while waiting, in case the stream of changes is cut. */
const ASK_AGAIN_MS = 15_000;

interface ArrivalProps {
  id: string;
  /** The secrets, while the page that made them has not been left. */
  made: EnrollmentToken | null;
}

/** Waits for a machine: what to run there, what to keep, and what the server has seen of it. */
export function Arrival({ id, made }: ArrivalProps) {
  const progress = useQuery({
    ...enrollmentQuery(id),
    refetchInterval: ({ state }) => (isOver(state.data) ? false : ASK_AGAIN_MS),
  });
  const known = progress.data;
  if (known === undefined) {
    if (!progress.isError) return <p className="quiet">Asking how far the machine has come…</p>;
    const problem = asProblem(progress.error);
    return (
      <Notice
        state="fail"
        title={
          problem.status === 404 || problem.status === 422
            ? "There is no such install command"
            : problem.message
        }
        actions={
          <LinkButton href="/hosts/add" size="xs" variant="default">
            Add a host
          </LinkButton>
        }
      >
        {problem.hint ?? "It may have been cleared away. Machines that came in with it are in the fleet."}
      </Notice>
    );
  }
  return (
    <>
      <Band progress={known} />
      {known.state === "waiting" && <Command name={known.host_name} made={made} />}
      {made !== null && known.state !== "expired" && <Credentials made={made} />}
      <Ledger progress={known} />
    </>
  );
}

function isOver(progress: EnrollmentProgress | undefined): boolean {
  return progress?.state === "connected" || progress?.state === "expired";
}

/** One band for the whole way: it changes in place and never takes the focus. */
function Band({ progress }: { progress: EnrollmentProgress }) {
  const router = useRouter();
  const { attempts, run } = useRunNow();
  const left = useTimeText((now) => formatCountdown(Date.parse(progress.expires_at) - now));
  const { host_name: name, host_id: hostId } = progress;
  if (progress.state === "connected" && hostId !== null) {
    const attempt = attempts.get(hostId);
    return (
      <Notice
        state="ok"
        title={`${name} is connected`}
        actions={
          <>
            <Button
              size="sm"
              variant="default"
              loading={attempt?.state === "asking"}
              onClick={() => {
                void run({ id: hostId }).then((jobId) => {
                  if (jobId !== null) router.history.push(`/jobs/${jobId}`);
                });
              }}
            >
              Back up now
            </Button>
            <LinkButton href={`/hosts/${hostId}`} size="sm">
              Open the host
            </LinkButton>
          </>
        }
      >
        {attempt?.state === "refused"
          ? `${attempt.problem.message} ${attempt.problem.hint ?? ""}`
          : "Its repository is being opened, or created if there is none. Nothing is backed up before you say so."}
      </Notice>
    );
  }
  if (progress.state === "enrolled") {
    return (
      <Notice state="run" title={`${name} has its credentials and is connecting`}>
        The command has done its work. If this takes more than a minute, look at the agent on the machine:{" "}
        <code>journalctl -u restic-manager-agent</code>.
      </Notice>
    );
  }
  if (progress.state === "expired" || left === "0:00" || left === "00:00") {
    return (
      <Notice
        state="warn"
        icon="late"
        title={`The command for ${name} has expired`}
        actions={
          <LinkButton href="/hosts/add" size="xs" variant="default">
            Make a new command
          </LinkButton>
        }
      >
        It was good for one hour and nobody used it. What you wrote is still in the form if you stayed on this
        page.
      </Notice>
    );
  }
  return (
    <Notice
      state="run"
      title={`Waiting for ${name}`}
      aside={
        <span className={styles.countdown}>
          <b role="timer" aria-live="off">
            {left}
          </b>
          <span>until the command expires</span>
        </span>
      }
    >
      This page turns green by itself when the agent connects. You can leave it: the host appears in the fleet
      either way.
    </Notice>
  );
}

function Command({ name, made }: { name: string; made: EnrollmentToken | null }) {
  const [how, setHow] = useState("install");
  if (made === null) {
    return (
      <Panel title={`Run the command on ${name}`}>
        <p>
          The command and the passwords were shown when they were made and cannot be shown again. If you did
          not keep them, make new ones: the old command then simply expires.
        </p>
        <p className={styles.again}>
          <LinkButton href="/hosts/add" size="xs" variant="default">
            Make a new command
          </LinkButton>
        </p>
      </Panel>
    );
  }
  const installs = how === "install";
  return (
    <Panel
      title={`Run this on ${name}`}
      note={
        installs
          ? "Installs the agent as a systemd service. It lists existing restic timers and cron jobs; it disables none."
          : "For a machine that has the agent already, from a package or an image."
      }
      actions={
        <FilterStrip
          choicesLabel="Kind of command"
          chosen={how}
          onChoose={setHow}
          choices={[
            { id: "install", title: "Install on Linux" },
            { id: "enroll", title: "Agent is there" },
          ]}
        />
      }
    >
      <CopyField
        label={installs ? "Install command" : "Enrol command"}
        value={installs ? made.install_command : made.enroll_command}
        secret
      />
      <p className={styles.under}>
        The token in it works once. Paste the command into a shell; it asks for root through sudo.
      </p>
    </Panel>
  );
}

function Credentials({ made }: { made: EnrollmentToken }) {
  const {
    username,
    password,
    repository_password: repositoryPassword,
    htpasswd_line: line,
  } = made.credentials;
  if (password === null && repositoryPassword === null && line === null) return null;
  return (
    <Panel
      title="Credentials"
      note="Shown this once. This server keeps them sealed and never shows them again; leaving this page hides them."
    >
      <div className={styles.fields}>
        <div className={styles.pair}>
          {username !== null && password !== null && <CopyField label="User name" value={username} />}
          {password !== null && <CopyField label="One-time password" value={password} secret />}
        </div>
        {line !== null && (
          <>
            <CopyField label="Line for the rest-server's .htpasswd" value={line} secret />
            <p className={styles.note}>
              Add the line to the <code>.htpasswd</code> file of the rest-server before you run the command.
            </p>
          </>
        )}
        {repositoryPassword !== null && (
          <>
            <CopyField label="Repository password" value={repositoryPassword} secret />
            <p className={styles.note}>
              Keep it somewhere safe: with it the backups can be opened by restic alone, without this server.
            </p>
          </>
        )}
      </div>
    </Panel>
  );
}

const STEP_WORDS: Record<EnrollmentProgress["seen"][number]["step"], string> = {
  created: "Command made",
  script_fetched: "Install script fetched",
  binary_fetched: "Agent downloaded",
  enrolled: "Machine enrolled with the token",
  connected: "Agent connected",
};

/** What the server has seen, so that "nothing happens" can be told apart. */
function Ledger({ progress }: { progress: EnrollmentProgress }) {
  return (
    <Panel flush title="What has happened so far">
      <ol className={styles.ledger}>
        {progress.seen.map((step) => (
          <li key={step.step}>
            <StateIcon state="ok" icon="done" />
            <span>
              {STEP_WORDS[step.step]}
              {step.detail !== null && <span className="quiet"> {step.detail}</span>}
            </span>
            <span className={styles.when}>
              <TimeAgo at={Date.parse(step.at)} />
            </span>
          </li>
        ))}
        {progress.state === "waiting" && (
          <li>
            <StateIcon state="idle" icon="new" />
            <span className="quiet">{nextStep(progress)}</span>
          </li>
        )}
      </ol>
    </Panel>
  );
}

/** What would come next, and where to look when it does not. */
function nextStep({ seen }: EnrollmentProgress): string {
  const last = seen.at(-1)?.step;
  if (last === "script_fetched")
    return "The script runs; the agent has not been fetched yet. Look at what the shell says.";
  if (last === "binary_fetched") return "The agent is on the machine and has not enrolled yet.";
  return "Nothing has reached this server from the machine yet.";
}
