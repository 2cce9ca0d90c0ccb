import styles from "./phases.module.css";
import { StateIcon } from "./state-icon.tsx";

export interface Phase {
  name: string;
  state: "done" | "running" | "next" | "failed";
  /** How long it took or takes, or when it comes. */
  note?: string;
}

const LOOK = {
  done: ["ok", "done", "done"],
  running: ["run", "running", "running"],
  next: ["idle", "new", "to come"],
  failed: ["fail", "failed", "failed"],
} as const;

/** The steps of a job, in order, each with its state. */
export function Phases({ items }: { items: readonly Phase[] }) {
  return (
    <ol className={styles.phases}>
      {items.map((phase) => {
        const [state, icon, word] = LOOK[phase.state];
        return (
          <li key={phase.name} className={styles.phase} data-state={phase.state}>
            <StateIcon state={state} icon={icon} size={15} />
            <span className={styles.name}>{phase.name}</span>
            <span className="visually-hidden">{word}</span>
            {phase.note !== undefined && <span className={styles.note}>{phase.note}</span>}
          </li>
        );
      })}
    </ol>
  );
}
