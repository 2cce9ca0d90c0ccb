import type { ReactNode } from "react";
import styles from "./page.module.css";

/** A page's column: full width up to 1920, `form` 920, `narrow` 1120. */
export function Page({
  width = "full",
  children,
}: {
  width?: "full" | "form" | "narrow";
  children: ReactNode;
}) {
  return (
    <div className={styles.page} data-width={width}>
      {children}
    </div>
  );
}
