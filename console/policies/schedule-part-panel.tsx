import { Button, Checkbox, TextInput } from "@mantine/core";
import { CronField } from "../schedules/cron-field.tsx";
import { NumberField } from "../ui/number-field.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./policies.module.css";
import type { GroupPart, SchedulePart } from "./template-input.ts";

interface SchedulePartPanelProps {
  part: SchedulePart;
  groups: readonly GroupPart[];
  errors: Readonly<Record<string, string>>;
  onChange: (part: SchedulePart) => void;
  onRemove: () => void;
}

/** One schedule of a template. */
export function SchedulePartPanel({ part, groups, errors, onChange, onRemove }: SchedulePartPanelProps) {
  const change = (changed: Partial<SchedulePart>) => onChange({ ...part, ...changed });
  return (
    <Panel
      title={part.name.trim() === "" ? "New schedule" : <>Schedule {part.name}</>}
      actions={
        <Button size="xs" variant="subtle" onClick={onRemove}>
          Remove
        </Button>
      }
    >
      <div className={styles.part}>
        <TextInput
          className={styles.short}
          label="Name"
          description="By it a host’s schedule is known again when the template changes."
          placeholder="Nightly"
          autoComplete="off"
          value={part.name}
          onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          error={errors["name"]}
        />
        <CronField host={null} written={part} onChange={change} errors={errors} />
        <fieldset className={styles.set}>
          <legend>Source groups</legend>
          <div className={styles.boxes}>
            {groups.map(({ key, written }) => (
              <Checkbox
                key={key}
                label={
                  <span className="mono">{written.name.trim() === "" ? "(no name)" : written.name}</span>
                }
                checked={part.groups.includes(key)}
                onChange={({ currentTarget }) =>
                  change({
                    groups: currentTarget.checked
                      ? [...part.groups, key]
                      : part.groups.filter((one) => one !== key),
                  })
                }
              />
            ))}
          </div>
          {errors["groups"] !== undefined && (
            <p role="alert" className={styles.error}>
              {errors["groups"]}
            </p>
          )}
        </fieldset>
        <NumberField
          decimal
          className={styles.short}
          label="Spread, minutes"
          description="Each machine at its own moment in this window, so that a fleet does not start at once."
          value={part.spreadMinutes}
          onChange={(spreadMinutes) => change({ spreadMinutes })}
          error={errors["spreadMinutes"]}
        />
      </div>
    </Panel>
  );
}
