import type { ReactNode } from "react";
import styles from "./job.module.css";

export interface Figure {
  label: string;
  value: ReactNode;
  /** Beside the figure, quieter: `of 918 GiB`. */
  of?: ReactNode;
  state?: "warn" | undefined;
}

/** Figures inside a panel, side by side; two and two on a phone. */
export function Figures({ items }: { items: readonly Figure[] }) {
  return (
    <dl className={styles.figures}>
      {items.map((item) => (
        <div key={item.label} className={styles.figure} data-state={item.state}>
          <dt>{item.label}</dt>
          <dd>
            <span className={styles.value}>{item.value}</span>
            {item.of !== undefined && <span className={styles.of}>{item.of}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
