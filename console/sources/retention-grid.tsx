import type { RetentionPolicy } from "@restic-manager/protocol/api/sources";
import { NumberField } from "../ui/number-field.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import type { Written } from "./group-input.ts";
import { DIMENSION_WORDS, DIMENSIONS, retentionWords, type Dimension } from "./retention.ts";
import type { RetentionConflict } from "./retention-conflict.ts";
import styles from "./retention.module.css";

interface RetentionGridProps {
  policy: RetentionPolicy;
  conflicts: readonly RetentionConflict[];
}

/** What is kept, dimension by dimension, and what that means. */
export function RetentionGrid({ policy, conflicts }: RetentionGridProps) {
  return (
    <>
      <dl className={styles.view}>
        {DIMENSIONS.map((dimension) => {
          const wrong = conflicts.some((conflict) => conflict.dimension === dimension);
          const keep = policy[dimension] ?? 0;
          return (
            <div key={dimension} data-conflict={wrong || undefined}>
              <dt>
                {wrong && <StateIcon state="warn" icon="issues" size={13} />}
                {DIMENSION_WORDS[dimension]}
                {wrong && <span className="visually-hidden"> finer than any schedule</span>}
              </dt>
              <dd>{keep === 0 ? <span aria-label="none">–</span> : keep}</dd>
            </div>
          );
        })}
      </dl>
      <p className="quiet">{retentionWords(policy)}</p>
    </>
  );
}

interface RetentionFieldsProps {
  keep: Written["keep"];
  onChange: (dimension: Dimension, value: number | string) => void;
  /** By `keep.<dimension>`. */
  errors: Readonly<Record<string, unknown>>;
  conflicts: readonly RetentionConflict[];
}

/** The same to write in. */
export function RetentionFields({ keep, onChange, errors, conflicts }: RetentionFieldsProps) {
  return (
    <div className={styles.fields}>
      {DIMENSIONS.map((dimension) => {
        const wrong = conflicts.find((conflict) => conflict.dimension === dimension);
        const error = errors[`keep.${dimension}`];
        return (
          <NumberField
            key={dimension}
            label={LABELS[dimension]}
            placeholder="–"
            value={keep[dimension]}
            onChange={(value) => onChange(dimension, value)}
            error={typeof error === "string" ? error : undefined}
            description={wrong === undefined ? undefined : `At most one a ${wrong.atMostOncePer} to keep`}
          />
        );
      })}
    </div>
  );
}

const LABELS: Record<Dimension, string> = {
  keep_last: "Last",
  hourly: "Hourly",
  daily: "Daily",
  weekly: "Weekly",
  monthly: "Monthly",
  yearly: "Yearly",
};
