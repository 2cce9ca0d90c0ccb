import { Textarea, TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import { countOf } from "../format/numbers.ts";
import { linesOf } from "../ui/line-list.ts";
import { NumberField } from "../ui/number-field.tsx";
import { policyOf, type Figure, type Written } from "./group-input.ts";
import { retentionWords, type Dimension } from "./retention.ts";
import type { RetentionConflict } from "./retention-conflict.ts";
import { RetentionFields } from "./retention-grid.tsx";
import styles from "./sources.module.css";

/** Where in a group's form something is written. */
export type GroupField = Exclude<keyof Written, "keep"> | `keep.${Dimension}`;

interface GroupFieldsProps {
  written: Written;
  onChange: (field: GroupField, value: Figure) => void;
  /** By field. */
  errors: Readonly<Record<string, ReactNode>>;
  conflicts: readonly RetentionConflict[];
  /** Under the name. */
  nameNote: string;
  /** Beside what the policy means, such as a button that shows it. */
  policyAction?: ReactNode;
}

/** What a group backs up, how long that is kept, and how it is tried again: the same on a host and in a template. */
export function GroupFields(props: GroupFieldsProps) {
  const { written, onChange, errors, conflicts, nameNote, policyAction } = props;
  return (
    <>
      <TextInput
        className={styles.short}
        classNames={{ input: "mono" }}
        label="Name"
        description={nameNote}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={written.name}
        onChange={({ currentTarget }) => onChange("name", currentTarget.value)}
        error={errors["name"]}
      />
      <div className={styles.pair}>
        <Textarea
          className={styles.typed}
          label="Includes"
          description={`Folders and files, one absolute path per line. ${countOf(linesOf(written.includes).length, "path")}.`}
          rows={8}
          spellCheck={false}
          value={written.includes}
          onChange={({ currentTarget }) => onChange("includes", currentTarget.value)}
          error={errors["includes"]}
        />
        <Textarea
          className={styles.typed}
          label="Excludes"
          description="Paths or patterns such as *.tmp, one per line. Empty: nothing is left out."
          rows={8}
          spellCheck={false}
          value={written.excludes}
          onChange={({ currentTarget }) => onChange("excludes", currentTarget.value)}
          error={errors["excludes"]}
        />
      </div>
      <fieldset className={styles.set}>
        <legend>Keep</legend>
        <RetentionFields
          keep={written.keep}
          onChange={(dimension, value) => onChange(`keep.${dimension}`, value)}
          errors={errors}
          conflicts={conflicts}
        />
        <p className="quiet">{retentionWords(policyOf(written.keep))}</p>
        {policyAction}
      </fieldset>
      <fieldset className={styles.set}>
        <legend>If a scheduled backup fails for want of the network or for a lock</legend>
        <div className={`${styles.pair} ${styles.short}`}>
          <NumberField
            label="Try again, times"
            description="0: wait for its next time."
            value={written.retryMax}
            onChange={(value) => onChange("retryMax", value)}
            error={errors["retryMax"]}
          />
          <NumberField
            decimal
            label="First wait, minutes"
            description="Doubled each time, up to half an hour."
            value={written.retryMinutes}
            onChange={(value) => onChange("retryMinutes", value)}
            error={errors["retryMinutes"]}
          />
        </div>
      </fieldset>
    </>
  );
}
