import { TextInput } from "@mantine/core";
import { cronInWords } from "../schedules/cron-words.ts";
import { NumberField } from "../ui/number-field.tsx";
import type { Written } from "./maintenance-input.ts";
import styles from "./repository.module.css";
import { UPKEEP_WORDS } from "./upkeep-words.ts";

interface MaintenanceFieldsProps {
  written: Written;
  onChange: (change: Partial<Written>) => void;
  errors: Partial<Record<keyof Written, string>>;
}

/** When each of the three runs, and how much a check reads: the same on a host and in a template. */
export function MaintenanceFields({ written, onChange, errors }: MaintenanceFieldsProps) {
  return (
    <div className={styles.times}>
      {(["forget", "prune", "check"] as const).map((kind) => {
        const read = cronInWords(written[kind]);
        const wrong = read.ok ? undefined : read.problem.slice(0, 1).toUpperCase() + read.problem.slice(1);
        return (
          <TextInput
            key={kind}
            label={`${UPKEEP_WORDS[kind].name}, cron expression`}
            classNames={{ input: "mono" }}
            description={read.ok ? read.words : "min hour day month weekday"}
            autoComplete="off"
            spellCheck={false}
            value={written[kind]}
            onChange={({ currentTarget }) => onChange({ [kind]: currentTarget.value })}
            error={errors[kind] ?? wrong}
          />
        );
      })}
      <NumberField
        label="Check reads of the data, percent"
        description="Picked at random each time. 0: none, and damaged packs are not seen."
        value={written.percent}
        onChange={(percent) => onChange({ percent })}
        error={errors.percent}
      />
    </div>
  );
}
