import type { ReactNode } from "react";
import { AppLink } from "../ui/app-link.tsx";
import type { Section } from "./section.ts";
import styles from "./top-bar.module.css";

/** One section's link with its count. */
export function SectionLink({
  section,
  current,
  className,
  icon,
}: {
  section: Section;
  current: boolean;
  className: string | undefined;
  icon?: ReactNode;
}) {
  return (
    <AppLink href={section.href} className={className} aria-current={current ? "page" : undefined}>
      {icon}
      <span>{section.title}</span>
      {section.count !== undefined && section.count > 0 && (
        <span className={styles.count} data-state={section.countState ?? "idle"}>
          {section.count}
          <span className="visually-hidden"> {section.countWord}</span>
        </span>
      )}
    </AppLink>
  );
}
