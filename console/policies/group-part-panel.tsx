import { Button } from "@mantine/core";
import { retentionConflicts } from "../sources/retention-conflict.ts";
import { GroupFields, type GroupField } from "../sources/group-fields.tsx";
import { policyOf, type Figure, type Written } from "../sources/group-input.ts";
import type { Dimension } from "../sources/retention.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./policies.module.css";
import type { GroupPart, SchedulePart } from "./template-input.ts";

interface GroupPartPanelProps {
  part: GroupPart;
  /** The template's schedules that are on and fire it. */
  firing: readonly SchedulePart[];
  errors: Readonly<Record<string, string>>;
  onChange: (part: GroupPart) => void;
  /** Absent for the only one. */
  onRemove?: () => void;
}

/** One source group of a template. */
export function GroupPartPanel({ part, firing, errors, onChange, onRemove }: GroupPartPanelProps) {
  const { written } = part;
  // In which zone does not matter to how often something fires.
  const when = firing.map(({ cron, timezone }) => ({ cron, effective_timezone: timezone }));
  return (
    <Panel
      title={written.name.trim() === "" ? "New source group" : <>Source group {written.name}</>}
      {...(onRemove === undefined
        ? {}
        : {
            actions: (
              <Button size="xs" variant="subtle" onClick={onRemove}>
                Remove
              </Button>
            ),
          })}
    >
      <div className={styles.part}>
        <GroupFields
          written={written}
          onChange={(field, value) => onChange({ ...part, written: changed(written, field, value) })}
          errors={errors}
          conflicts={retentionConflicts(policyOf(written.keep), when)}
          nameNote="The tag of its snapshots on every host."
        />
      </div>
    </Panel>
  );
}

function changed(written: Written, field: GroupField, value: Figure): Written {
  if (!field.startsWith("keep.")) return { ...written, [field]: value };
  // What follows "keep." is one of them by its type.
  const dimension = field.slice("keep.".length) as Dimension;
  return { ...written, keep: { ...written.keep, [dimension]: value } };
}
