import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule, Schedules } from "@restic-manager/protocol/api/schedules";
import { PausePanel } from "../host/pause-panel.tsx";
import { schedulesQuery, sourceGroupsQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { useAtLeast } from "../ui/at-least.ts";
import { DataTable } from "../ui/data-table/data-table.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { LinkButton } from "../ui/link-button.tsx";
import { PageProblem } from "../ui/page-problem.tsx";
import { Panel } from "../ui/panel.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { cronWords } from "./cron-words.ts";
import { scheduleColumns } from "./schedule-columns.tsx";
import { ScheduleEditor } from "./schedule-editor.tsx";
import { ScheduleFacts } from "./schedule-facts.tsx";
import styles from "./schedules.module.css";

const idOf = (schedule: Schedule) => schedule.id;
const nameOf = (schedule: Schedule) => cronWords(schedule.cron);

/** When a host backs up by itself. `open`: the schedule that is shown beside the list, or `new`. */
export function HostSchedules({ host, open }: { host: Host; open: string | undefined }) {
  const { operate } = useMay();
  const { data, error, refetch } = useQuery(schedulesQuery(host.id));
  const columns = useMemo(() => scheduleColumns(host, operate), [host, operate]);
  if (data === undefined) {
    return (
      <PageProblem
        error={error}
        missing="There is no such host"
        missingText="It was removed meanwhile."
        onRetry={() => void refetch()}
      />
    );
  }
  const chosen = data.items.find((schedule) => schedule.id === open);
  const shown = chosen !== undefined || (operate && open === "new");
  const base = `/hosts/${host.id}?tab=schedules`;
  return (
    <div className={styles.columns} data-closed={!shown || undefined}>
      <div className={styles.stack}>
        <div className={styles.head}>
          <Sync host={host} sync={data.sync} />
          {operate && (
            <LinkButton variant="default" href={`${base}&schedule=new`} leftSection={<IconPlus size={16} />}>
              Add schedule
            </LinkButton>
          )}
        </div>
        <Panel flush>
          <DataTable
            label={`Schedules of ${host.name}`}
            columns={columns}
            rows={data.items}
            idOf={idOf}
            nameOf={nameOf}
            hrefOf={(schedule) => `${base}&schedule=${schedule.id}`}
            {...(chosen === undefined ? {} : { current: chosen.id })}
            total={data.items.length}
            listId={host.id}
            empty={
              <EmptyState
                kind="first"
                title="No schedule yet"
                text="Without one it is backed up by hand only. The agent keeps schedules and fires them itself."
              />
            }
          />
        </Panel>
        {data.items.length > 0 && (
          <p className="quiet">
            The agent keeps these and fires them itself, also while this server is down. What was missed while
            the machine slept runs once when it wakes.
          </p>
        )}
        <PausePanel host={host} />
      </div>
      {shown && <Beside host={host} schedule={chosen ?? null} operate={operate} />}
    </div>
  );
}

function Beside({ host, schedule, operate }: { host: Host; schedule: Schedule | null; operate: boolean }) {
  const { data } = useQuery(sourceGroupsQuery(host.id));
  const place = useRef<HTMLDivElement>(null);
  const below = !useAtLeast(1241);
  const id = schedule?.id ?? "new";
  const ready = data !== undefined;
  // Below the list it may be out of sight: what was opened is what somebody wants to see.
  useEffect(() => {
    if (below && ready) place.current?.scrollIntoView({ block: "start" });
  }, [below, ready, id]);
  if (data === undefined || (!operate && schedule === null)) return null;
  return (
    <div ref={place} className={styles.beside}>
      {operate || schedule === null ? (
        <ScheduleEditor key={id} host={host} schedule={schedule} groups={data.items} />
      ) : (
        <ScheduleFacts host={host} schedule={schedule} />
      )}
    </div>
  );
}

/** Whether the machine has what is shown here. */
function Sync({ host, sync }: { host: Host; sync: Schedules["sync"] }) {
  const { version, applied_version: applied } = sync;
  if (applied === version)
    return <StatusMark state="ok" icon="done" word={`Agent in sync at version ${version}`} />;
  const at =
    applied === null ? "The agent has no schedules yet" : `Agent at version ${applied} of ${version}`;
  return (
    <StatusMark
      state={host.online ? "run" : "idle"}
      icon={host.online ? "running" : "offline"}
      word={host.online ? `${at}, telling it` : `${at}; it is told when it is back`}
    />
  );
}
