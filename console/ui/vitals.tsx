import type { ReactNode } from "react";
import styles from "./vitals.module.css";

export interface Vital {
  label: string;
  /** The figure or the state. */
  value: ReactNode;
  note?: ReactNode;
}

/** A row of what matters most, each a label, a figure and a quiet note; two columns on a phone. */
export function Vitals({ items }: { items: readonly Vital[] }) {
  return (
    <dl className={styles.vitals} style={{ ["--vitals" as string]: items.length }}>
      {items.map((item) => (
        <div key={item.label} className={styles.vital}>
          <dt>{item.label}</dt>
          <dd className={styles.value}>{item.value}</dd>
          {item.note !== undefined && <dd className={styles.note}>{item.note}</dd>}
        </div>
      ))}
    </dl>
  );
}
