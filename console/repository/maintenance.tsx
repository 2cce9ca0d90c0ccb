import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RepoMaintenance, UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { api } from "../api.ts";
import { repositoryQuery } from "../queries.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { Switch } from "../ui/switch.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { inputOf } from "./maintenance-input.ts";
import { MaintenanceForm } from "./maintenance-form.tsx";
import styles from "./repository.module.css";
import { RunUpkeep } from "./run-upkeep.tsx";
import { runWords, UPKEEP_WORDS } from "./upkeep-words.ts";

const KINDS = ["forget", "prune", "check"] as const satisfies readonly UpkeepKind[];

interface MaintenanceProps {
  host: Host;
  repository: RepositoryPage;
}

/** What the server has done in the repository by itself, when, and what it came to. */
export function Maintenance({ host, repository }: MaintenanceProps) {
  const { operate } = useMay();
  const [editing, setEditing] = useState(false);
  const { maintenance } = repository;
  return (
    <Panel
      flush
      title="Maintenance"
      note={`Times are those of ${maintenance.effective_timezone}. Skipped, never queued, while the machine is offline.`}
      {...(operate && !editing
        ? {
            actions: (
              <Button size="xs" variant="default" onClick={() => setEditing(true)}>
                Change the times…
              </Button>
            ),
          }
        : {})}
    >
      {editing ? (
        <MaintenanceForm
          key={maintenance.updated_at ?? ""}
          hostId={host.id}
          maintenance={maintenance}
          onDone={() => setEditing(false)}
        />
      ) : (
        <ul className={styles.tasks}>
          {KINDS.map((kind) => (
            <Task key={kind} kind={kind} host={host} repository={repository} operate={operate} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

interface TaskProps extends MaintenanceProps {
  kind: UpkeepKind;
  operate: boolean;
}

function Task({ kind, host, repository, operate }: TaskProps) {
  const { maintenance, run_now: now } = repository;
  const task = maintenance[kind];
  const { name, does } = UPKEEP_WORDS[kind];
  return (
    <li className={styles.task}>
      <Toggle kind={kind} host={host} maintenance={maintenance} operate={operate} />
      <div>
        <h3>{name}</h3>
        <p className={styles.small}>
          {kind === "check" ? checkDoes(maintenance.check.read_data_percent) : does}
        </p>
      </div>
      <div>
        <p>{cronWords(task.cron)}</p>
        <p className={`${styles.small} mono`}>{task.cron}</p>
      </div>
      <div>
        <LastRun task={task} />
        <p className={styles.small}>
          <NextRun
            task={task}
            paused={maintenance.paused !== null}
            said={operate ? now[kind]?.message : undefined}
          />
        </p>
      </div>
      <div className={styles.runs}>
        {operate && (
          <>
            <RunUpkeep
              hostId={host.id}
              label="Run"
              what={`${name.toLowerCase()} on ${host.name}`}
              hindrance={now[kind]}
              run={(when_offline) => runOf(kind, host.id, when_offline)}
            />
            {kind === "forget" && (
              <RunUpkeep
                quiet
                silent={now.forget !== null}
                hostId={host.id}
                label="Preview"
                what={`what forget would remove of ${host.name}`}
                hindrance={now.forget?.code === "admin_creds_required" ? null : now.forget}
                run={(when_offline) => api.runForget(host.id, { dry_run: true, when_offline })}
              />
            )}
          </>
        )}
      </div>
    </li>
  );
}

function runOf(kind: UpkeepKind, hostId: string, when_offline: "wait" | "refuse") {
  switch (kind) {
    case "forget":
      return api.runForget(hostId, { when_offline });
    case "prune":
      return api.runPrune(hostId, { when_offline });
    case "check":
      return api.runCheck(hostId, { when_offline });
  }
}

function Toggle(props: { kind: UpkeepKind; host: Host; maintenance: RepoMaintenance; operate: boolean }) {
  const { kind, host, maintenance, operate } = props;
  const queryClient = useQueryClient();
  const on = maintenance[kind].enabled;
  const toggle = useMutation({
    mutationFn: async (enabled: boolean) => {
      // All of it is saved: what somebody else has changed since this page was read must stay.
      const wanted = inputOf((await api.repository(host.id)).maintenance);
      return await api.saveMaintenance(host.id, { ...wanted, [kind]: { ...wanted[kind], enabled } });
    },
    onSuccess: () => queryClient.invalidateQueries({ queryKey: repositoryQuery(host.id).queryKey }),
  });
  const label = `${UPKEEP_WORDS[kind].name} by itself: ${on ? "on" : "off"}`;
  if (!operate) return <span className={styles.small}>{on ? "On" : "Off"}</span>;
  return (
    <span>
      <Switch label={label} on={on} busy={toggle.isPending} onChange={(next) => toggle.mutate(next)} />
      <CallProblem error={toggle.error} />
    </span>
  );
}

function LastRun({ task }: { task: RepoMaintenance[UpkeepKind] }) {
  const run = task.last_run;
  if (run === null) return <p className="quiet">Has not run yet</p>;
  const { state, icon, word } = runWords(run);
  return (
    <p className={styles.last}>
      <StatusMark state={state} icon={icon} word={word} />{" "}
      <AppLink className="link" href={`/jobs/${run.job_id}`}>
        <TimeAgo at={Date.parse(run.finished_at ?? run.started_at ?? run.created_at)} inRow />
        <span className="visually-hidden">: open the job</span>
      </AppLink>
    </p>
  );
}

interface NextRunProps {
  task: RepoMaintenance[UpkeepKind];
  paused: boolean;
  /** Why it does not run, where the row says that already. */
  said: string | undefined;
}

function NextRun({ task, paused, said }: NextRunProps) {
  if (!task.enabled) return <>Off: only by hand</>;
  if (paused) return <>Not while the host is paused</>;
  const next = task.next_run === null ? null : Date.parse(task.next_run.at);
  return (
    <>
      {next !== null && (
        <>
          Next <TimeAgo at={next} />
        </>
      )}
      {task.hindrance !== null && (
        <span className={styles.hindered}>
          {next !== null && ". "}
          {task.hindrance.message === said ? "Would be skipped" : `Skipped: ${task.hindrance.message}`}
        </span>
      )}
    </>
  );
}

function checkDoes(percent: number): string {
  if (percent === 0) return "Verifies the structure. Reads no data: damaged packs are not seen.";
  return `Verifies the structure and reads ${percent} % of the data.`;
}
