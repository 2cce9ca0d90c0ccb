import type { ReactNode } from "react";
import { Plate } from "../ui/plate.tsx";
import { SchemeSwitch } from "../shell/scheme-switch.tsx";
import styles from "./gate.module.css";

/** The frame of the pages before sign-in: which server this is, never which version. */
export function Gate({
  instance,
  wide = false,
  children,
}: {
  instance: string;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <main className={styles.gate}>
      <div className={styles.card} data-wide={wide || undefined}>
        <Plate instance={instance} tall />
        {children}
      </div>
      <SchemeSwitch />
    </main>
  );
}
