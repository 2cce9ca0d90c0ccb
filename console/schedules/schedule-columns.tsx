import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { schedulesQuery } from "../queries.ts";
import type { Column } from "../ui/data-table/column.ts";
import { jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { Switch } from "../ui/switch.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { cronWords, list } from "./cron-words.ts";
import styles from "./schedules.module.css";

/** The columns of a host's schedules; the switch is for who may change them. */
export function scheduleColumns(host: Host, operate: boolean): readonly Column<Schedule>[] {
  const columns: Column<Schedule>[] = [
    {
      id: "when",
      title: "When",
      width: "minmax(180px, 1.6fr)",
      phone: "name",
      cell: (schedule) => (
        <span className={styles.two}>
          <span data-off={!schedule.enabled || undefined}>{cronWords(schedule.cron)}</span>
          <span className="quiet">
            <span className="mono">{schedule.cron}</span>
            <span className={styles.zone}>{schedule.effective_timezone}</span>
          </span>
        </span>
      ),
    },
    {
      id: "groups",
      title: "Source groups",
      width: "minmax(90px, 1fr)",
      cell: (schedule) => (
        <span className={styles.wraps}>{list(schedule.source_groups.map((group) => group.name))}</span>
      ),
    },
    {
      id: "last",
      title: "Last run",
      width: "minmax(120px, 0.9fr)",
      phone: "detail",
      cell: (schedule) => (
        <>
          <span className={styles.phoneOnly}>
            {list(schedule.source_groups.map((group) => group.name))},{" "}
          </span>
          <LastRun schedule={schedule} />
        </>
      ),
    },
    {
      id: "next",
      title: "Next run",
      width: "minmax(92px, 0.7fr)",
      align: "end",
      phone: "state",
      cell: (schedule) => <NextRun schedule={schedule} paused={host.paused ?? null} />,
    },
  ];
  if (!operate) return columns;
  return [
    {
      id: "on",
      title: "On",
      width: "46px",
      control: true,
      phone: "action",
      cell: (schedule) => <OnSwitch host={host} schedule={schedule} />,
    },
    ...columns,
  ];
}

function LastRun({ schedule: { last_run: last } }: { schedule: Schedule }) {
  if (last === null) return <span className="quiet">Has not run yet</span>;
  const missed = last.catch_up?.missed_count ?? 0;
  return (
    <span className={styles.two}>
      {last.state === null ? <span>Fired</span> : <StatusMark {...jobWord(last.state)} />}
      <span className="quiet">
        <TimeAgo at={Date.parse(last.fired_at)} inRow />
        {missed > 0 && `, for ${countOf(missed, "missed run")}`}
      </span>
    </span>
  );
}

function NextRun({ schedule, paused }: { schedule: Schedule; paused: Schedules["paused"] }) {
  const { overdue, next_run: next } = schedule;
  if (!schedule.enabled) return <span className="quiet">Off</span>;
  if (paused !== null) return <span className="quiet">Paused</span>;
  if (overdue !== null) {
    return (
      <span className={styles.two}>
        <StatusMark state="warn" icon="late" word="Overdue" />
        <span className="quiet">
          <TimeAgo at={Date.parse(overdue.scheduled_at)} inRow />
        </span>
      </span>
    );
  }
  if (next === null) return <span className="quiet">Never</span>;
  return <TimeAgo at={Date.parse(next.at)} inRow />;
}

/** Shown as wanted at once, and taken back with words when the server says no. */
function OnSwitch({ host, schedule }: { host: Host; schedule: Schedule }) {
  const queryClient = useQueryClient();
  const { queryKey } = schedulesQuery(host.id);
  const flip = useMutation({
    mutationFn: (on: boolean) => api.switchSchedule(host.id, schedule.id, on),
    onSettled: () => queryClient.invalidateQueries({ queryKey }),
  });
  const on = flip.isPending ? flip.variables : schedule.enabled;
  const refused = flip.error === null ? "" : asProblem(flip.error).message;
  return (
    <span title={refused || undefined}>
      <Switch
        label={`${cronWords(schedule.cron)}: ${on ? "on" : "off"}`}
        on={on}
        busy={flip.isPending}
        onChange={(wanted) => flip.mutate(wanted)}
      />
      {refused !== "" && (
        <span role="alert" className={styles.refused}>
          {refused}
        </span>
      )}
    </span>
  );
}
