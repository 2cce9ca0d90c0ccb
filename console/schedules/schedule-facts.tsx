import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Schedule } from "@restic-manager/protocol/api/schedules";
import { Facts } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import { cronWords, list } from "./cron-words.ts";
import { NextTimes } from "./next-times.tsx";
import styles from "./schedules.module.css";

/** A schedule for who may only look. */
export function ScheduleFacts({ host, schedule }: { host: Host; schedule: Schedule }) {
  return (
    <Panel title="Schedule" note="Operators change it.">
      <div className={styles.form}>
        <p className={styles.words}>{cronWords(schedule.cron)}</p>
        <Facts
          items={[
            { label: "Expression", value: schedule.cron, mono: true },
            { label: "Time zone", value: schedule.effective_timezone },
            { label: "Source groups", value: list(schedule.source_groups.map((group) => group.name)) },
            {
              label: "Spread",
              value:
                schedule.spread_seconds === 0 ? "none" : `${Math.round(schedule.spread_seconds / 60)} min`,
            },
            { label: "State", value: schedule.enabled ? "on" : "off" },
          ]}
        />
        <NextTimes
          hostId={host.id}
          cron={schedule.cron}
          timezone={schedule.timezone}
          spreadSeconds={schedule.spread_seconds}
        />
      </div>
    </Panel>
  );
}
