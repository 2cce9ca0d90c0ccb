import { useId, type ReactNode } from "react";
import styles from "./panel.module.css";

interface PanelProps {
  title?: ReactNode;
  /** A quiet sentence under the title. */
  note?: ReactNode;
  actions?: ReactNode;
  /** The body fills the panel to its edges, for tables and grids with their own padding. */
  flush?: boolean;
  state?: "plain" | "danger";
  children?: ReactNode;
}

/** A framed part of a page, with its own heading. */
export function Panel({ title, note, actions, flush = false, state = "plain", children }: PanelProps) {
  const id = useId();
  return (
    <section
      className={styles.panel}
      data-state={state}
      aria-labelledby={title === undefined ? undefined : id}
    >
      {title !== undefined && (
        <header className={styles.head}>
          <div className={styles.words}>
            <h2 id={id}>{title}</h2>
            {note !== undefined && <p className={styles.note}>{note}</p>}
          </div>
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      {children !== undefined && <div className={flush ? undefined : styles.body}>{children}</div>}
    </section>
  );
}
