import type { ReactNode } from "react";
import styles from "./empty-state.module.css";
import { Mark } from "./mark.tsx";

interface EmptyStateProps {
  title: ReactNode;
  /** What to do next, in a sentence or two. */
  text?: ReactNode;
  actions?: ReactNode;
  /** `first` = nothing was ever here and the mark is shown; `filtered` = the filter hides all; `refused` = not allowed. */
  kind: "first" | "filtered" | "refused";
}

/** What a list says when it has nothing to show. */
export function EmptyState({ title, text, actions, kind }: EmptyStateProps) {
  return (
    <div className={styles.empty} data-kind={kind}>
      {kind === "first" && <Mark width={46} />}
      <p className={styles.title}>{title}</p>
      {text !== undefined && <p className={styles.text}>{text}</p>}
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
