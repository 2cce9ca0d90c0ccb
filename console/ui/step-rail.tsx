import { AppLink } from "./app-link.tsx";
import { StateIcon } from "./state-icon.tsx";
import styles from "./step-rail.module.css";

export interface Step {
  id: string;
  title: string;
  /** What was answered, or what is to do. */
  answer: string;
  done: boolean;
  /** Where the step is; absent while it cannot be answered yet. */
  href?: string;
}

/** The steps of a page, each with its answer; one that can be answered is a link. */
export function StepRail({
  label,
  steps,
  current,
}: {
  label: string;
  steps: readonly Step[];
  current: string;
}) {
  return (
    <nav aria-label={label}>
      <ol className={styles.rail}>
        {steps.map((step, index) => {
          const here = step.id === current;
          const inside = (
            <>
              {step.done && !here ? (
                <StateIcon state="ok" icon="done" size={18} />
              ) : (
                <span className={styles.number} data-here={here || undefined} aria-hidden="true">
                  {index + 1}
                </span>
              )}
              <span className={styles.words}>
                <span className={styles.title}>{step.title}</span>
                <span className={styles.answer}>{step.answer}</span>
              </span>
            </>
          );
          return (
            <li key={step.id} className={styles.step} data-here={here || undefined}>
              {step.href === undefined || here ? (
                <span className={styles.inside} aria-current={here ? "step" : undefined}>
                  {inside}
                </span>
              ) : (
                <AppLink href={step.href} className={styles.inside}>
                  {inside}
                </AppLink>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
