import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { schedulesQuery } from "../queries.ts";
import { cronWords, list } from "../schedules/cron-words.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import styles from "./host.module.css";

/** Next runs on the overview. */
const MOST = 4;

/** What fires next, and of which groups. */
export function NextRuns({ host }: { host: Host }) {
  const { data } = useQuery(schedulesQuery(host.id));
  if (data === undefined) return null;
  const next = data.items
    .flatMap((schedule) =>
      schedule.next_run === null ? [] : [{ schedule, at: Date.parse(schedule.next_run.at) }],
    )
    .toSorted((a, b) => a.at - b.at)
    .slice(0, MOST);
  const link = `/hosts/${host.id}?tab=schedules`;
  return (
    <Panel
      title="Next runs"
      actions={
        <AppLink className="link" href={data.items.length === 0 ? `${link}&schedule=new` : link}>
          {data.items.length === 0 ? "Add a schedule" : "Schedules"}
        </AppLink>
      }
    >
      {next.length === 0 ? (
        <p>{whyNone(data.items.length, data.paused !== null)}</p>
      ) : (
        <ul className={styles.next}>
          {next.map(({ schedule, at }) => (
            <li key={schedule.id}>
              <span>
                {list(schedule.source_groups.map((group) => group.name))}
                <span className="quiet">{cronWords(schedule.cron)}</span>
              </span>
              <TimeAgo at={at} />
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

function whyNone(schedules: number, paused: boolean): string {
  if (schedules === 0) return "Nothing backs this machine up by itself yet.";
  return paused ? "Nothing: the host is paused." : "Nothing: every schedule is off.";
}
