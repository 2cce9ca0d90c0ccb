import type { ReactNode } from "react";
import styles from "./floating-bar.module.css";

interface FloatingBarProps {
  /** What it is about, for screen readers. */
  label: string;
  /** How many are chosen, and what became of what was asked for. */
  words: ReactNode;
  /** The children are a form, below the words. */
  form?: boolean;
  children: ReactNode;
}

/** What can be done with chosen rows; it floats over the page's end and moves nothing. */
export function FloatingBar({ label, words, form = false, children }: FloatingBarProps) {
  return (
    <section className={styles.bar} data-form={form || undefined} aria-label={label}>
      <p className={styles.words}>{words}</p>
      {children}
    </section>
  );
}
