import { IconActivity, IconCommand, IconServer2, IconTemplate } from "@tabler/icons-react";
import styles from "./bottom-bar.module.css";
import { SectionLink } from "./section-link.tsx";
import type { Section } from "./section.ts";

const ICONS = { fleet: IconServer2, jobs: IconActivity, policies: IconTemplate } as const satisfies Record<
  Section["id"],
  unknown
>;

interface BottomBarProps {
  sections: readonly Section[];
  current: Section["id"] | null;
  onFind: () => void;
}

/** The sections within reach of a thumb, on a narrow screen. */
export function BottomBar({ sections, current, onFind }: BottomBarProps) {
  return (
    <nav className={styles.bar} aria-label="Sections, at the bottom">
      {sections.map((section) => {
        const Icon = ICONS[section.id];
        return (
          <SectionLink
            key={section.id}
            section={section}
            current={section.id === current}
            className={styles.tab}
            icon={<Icon size={19} stroke={1.6} aria-hidden="true" />}
          />
        );
      })}
      <button type="button" className={styles.tab} onClick={onFind}>
        <IconCommand size={19} stroke={1.6} aria-hidden="true" />
        <span>Find</span>
      </button>
    </nav>
  );
}
