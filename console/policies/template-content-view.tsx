import type { Template } from "@restic-manager/protocol/api/templates";
import { UPKEEP_WORDS } from "../repository/upkeep-words.ts";
import { cronWords } from "../schedules/cron-words.ts";
import { retentionWords } from "../sources/retention.ts";
import { Facts } from "../ui/facts.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./policies.module.css";

/** What a template says, for who may only look. */
export function TemplateContentView({ content }: Pick<Template, "content">) {
  const { maintenance } = content;
  return (
    <div className={styles.form}>
      {content.groups.map((group) => (
        <Panel key={group.name} title={`Source group ${group.name}`}>
          <Facts
            items={[
              { label: "Includes", value: group.includes.join(", "), mono: true },
              ...(group.excludes.length === 0
                ? []
                : [{ label: "Excludes", value: group.excludes.join(", "), mono: true }]),
              { label: "Keep", value: retentionWords(group.retention_policy) },
            ]}
          />
        </Panel>
      ))}
      {content.schedules.map((schedule) => (
        <Panel key={schedule.name} title={`Schedule ${schedule.name}`}>
          <Facts
            items={[
              { label: "When", value: cronWords(schedule.cron) },
              { label: "Time zone", value: schedule.timezone ?? "the machine’s own" },
              { label: "Source groups", value: schedule.groups.join(", "), mono: true },
              ...(schedule.enabled ? [] : [{ label: "On", value: "off" }]),
            ]}
          />
        </Panel>
      ))}
      {maintenance !== null && (
        <Panel title="Maintenance">
          <Facts
            items={(["forget", "prune", "check"] as const).map((kind) => {
              const { cron, enabled } = maintenance[kind];
              return { label: UPKEEP_WORDS[kind].name, value: enabled ? cronWords(cron) : "off" };
            })}
          />
        </Panel>
      )}
    </div>
  );
}
